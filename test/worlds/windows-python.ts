/**
 * Python packages on a Windows machine: the interpreters of each installer, a person's own folders,
 * environments of pipx, uv and conda, what uvx keeps, and look-alikes beside them.
 */
import type { Machine } from './windows-machine.js';
import { home, kim, local, roaming, windowsPath } from './windows-places.js';

export function plantPython(machine: Machine): void {
  plantSites(machine);
  plantTools(machine);
  plantUvx(machine);
  plantDecoys(machine);
}

/** One installed distribution (PEP 376, 427, 566); answers its record's folder. */
function distribution(
  machine: Machine,
  site: string,
  [name, version, command]: readonly [name: string, version: string, command?: string | undefined],
): string {
  const module = name.replaceAll('-', '_');
  const record = `${site}/${module}-${version}.dist-info`;
  machine.file(
    `${record}/METADATA`,
    `Metadata-Version: 2.1\r\nName: ${name}\r\nVersion: ${version}\r\nSummary: ${name}\r\n\r\n# ${name}\r\n`,
  );
  machine.file(`${record}/WHEEL`, 'Wheel-Version: 1.0\nTag: py3-none-any\n');
  machine.file(`${record}/INSTALLER`, 'pip\n');
  if (command !== undefined)
    machine.file(
      `${record}/entry_points.txt`,
      `[console_scripts]\n${command} = ${module}.main:main\n`,
    );
  machine.file(`${record}/RECORD`, `${module}/__init__.py,,\n`);
  machine.filler(`${site}/${module}`, machine.int(10, 60));
  return record;
}

/** The launcher that pip writes on Windows: a small program with a zip file at its end. */
function launcher(machine: Machine, at: string): void {
  machine.program(at, '#!python.exe\nPK\u0003\u0004__main__.py');
}

const plain = ['requests', 'certifi', 'idna', 'urllib3', 'click', 'tqdm'];

function fill(machine: Machine, site: string): void {
  for (const name of plain) distribution(machine, site, [name, machine.version()]);
}

type Row = readonly [
  site: string,
  scripts: string | null,
  tool: string,
  name: string,
  version: string,
  command?: string,
];

/** Interpreters and folders of a person in which every package counts. */
function plantSites(machine: Machine): void {
  const store = `${local('ana')}/Packages/PythonSoftwareFoundation.Python.3.12_qbz5n2kfra8p0/LocalCache/local-packages`;
  const rows: readonly Row[] = [
    [
      `${store}/Python312/site-packages`,
      `${store}/Python312/Scripts`,
      'litellm',
      'litellm',
      '1.78.5',
      'litellm',
    ],
    [
      `${roaming('ana')}/Python/Python313/site-packages`,
      `${roaming('ana')}/Python/Python313/Scripts`,
      'open-interpreter',
      'open-interpreter',
      '0.4.3',
      'interpreter',
    ],
    [
      `${roaming('ana')}/Python/Python313/site-packages`,
      null,
      'sdk-claude-agent',
      'claude-agent-sdk',
      '0.1.4',
    ],
    [
      `${local('ben')}/Programs/Python/Python312/Lib/site-packages`,
      `${local('ben')}/Programs/Python/Python312/Scripts`,
      'aider',
      'aider-chat',
      '0.86.1',
      'aider',
    ],
    [
      `${local(kim)}/Python/pythoncore-3.14-64/Lib/site-packages`,
      `${local(kim)}/Python/pythoncore-3.14-64/Scripts`,
      'shell-gpt',
      'shell-gpt',
      '1.4.5',
      'sgpt',
    ],
    [
      `${home('ben')}/.pyenv/pyenv-win/versions/3.11.9/Lib/site-packages`,
      `${home('ben')}/.pyenv/pyenv-win/versions/3.11.9/Scripts`,
      'sdk-openai',
      'openai-agents',
      '0.4.0',
    ],
    ['Python311/Lib/site-packages', 'Python311/Scripts', 'crewai', 'crewai', '1.1.0', 'crewai'],
    ['Program Files/Python312/Lib/site-packages', null, 'gpt4all', 'gpt4all', '2.8.2'],
    [
      `${home(kim)}/miniconda3/Lib/site-packages`,
      `${home(kim)}/miniconda3/Scripts`,
      'sdk-openai',
      'openai',
      '2.6.0',
      'openai',
    ],
    [
      `${home(kim)}/miniconda3/envs/serve/Lib/site-packages`,
      `${home(kim)}/miniconda3/envs/serve/Scripts`,
      'vllm',
      'vllm',
      '0.11.0',
      'vllm',
    ],
    [
      'ProgramData/miniconda3/envs/ai/Lib/site-packages',
      null,
      'llama-cpp',
      'llama-cpp-python',
      '0.3.16',
    ],
    [
      `${home(kim)}/Envs/ml/Lib/site-packages`,
      `${home(kim)}/Envs/ml/Scripts`,
      'sdk-google-genai',
      'google-genai',
      '1.45.0',
    ],
  ];
  for (const [site, scripts, tool, name, version, command] of rows) {
    fill(machine, site);
    machine.found(
      'pypi',
      [tool, name, version],
      distribution(machine, site, [name, version, command]),
    );
    if (scripts !== null && command !== undefined) launcher(machine, `${scripts}/${command}.exe`);
  }
  for (const prefix of [
    `${local('ben')}/Programs/Python/Python312`,
    'Python311',
    'Program Files/Python312',
    `${home(kim)}/miniconda3`,
  ])
    machine.program(`${prefix}/python.exe`);
}

/** An environment of its own for each tool; answers its site-packages. */
function environment(machine: Machine, at: string): string {
  machine.file(`${at}/pyvenv.cfg`, 'home = C:\\Python311\r\nversion = 3.11.9\r\n');
  machine.program(`${at}/Scripts/python.exe`);
  const site = `${at}/Lib/site-packages`;
  fill(machine, site);
  return site;
}

function plantTools(machine: Machine): void {
  const bin = `${home('ana')}/.local/bin`;
  const pipx = (
    parent: string,
    tool: string,
    [name, version, command]: readonly [string, string, string],
  ): void => {
    const at = `${parent}/${name}`;
    distribution(machine, environment(machine, at), [name, version, command]);
    launcher(machine, `${at}/Scripts/${command}.exe`);
    machine.json(`${at}/pipx_metadata.json`, {
      injected_packages: {},
      main_package: {
        apps: [`${command}.exe`],
        package: name,
        package_or_url: name,
        package_version: version,
      },
      pipx_metadata_version: '0.5',
      python_version: 'Python 3.11.9',
    });
    machine.found('pypi', [tool, name, version], at, { via: 'pipx' });
  };
  pipx(`${home('ana')}/pipx/venvs`, 'llm', ['llm', '0.27.1', 'llm']);
  pipx(`${local(kim)}/pipx/pipx/venvs`, 'open-interpreter', [
    'open-interpreter',
    '0.4.3',
    'interpreter',
  ]);
  for (const [name, version, tool, command] of [
    ['aider-chat', '0.86.1', 'aider', 'aider'],
    ['mistral-vibe', '1.0.0', 'mistral-vibe', 'vibe'],
  ] as const) {
    const at = `${roaming('ana')}/uv/tools/${name}`;
    distribution(machine, environment(machine, at), [name, version, command]);
    launcher(machine, `${at}/Scripts/${command}.exe`);
    launcher(machine, `${bin}/${command}.exe`);
    const place = `${windowsPath(bin)}\\${command}.exe`.replaceAll('\\', '\\\\');
    machine.file(
      `${at}/uv-receipt.toml`,
      `[tool]\nrequirements = [{ name = "${name}" }]\nentrypoints = [\n    { name = "${command}", install-path = "${place}", from = "${name}" },\n]\n`,
    );
    machine.found('pypi', [tool, name, version], at, { via: 'uv' });
  }
}

/** On Windows uv writes a file with the archive's name where it links elsewhere. */
function plantUvx(machine: Machine): void {
  const cache = `${local('ben')}/uv/cache`;
  const id = 'Zr7Qn2_kPlM4aB9cD0eFg';
  const at = `${cache}/archive-v0/${id}`;
  machine.file(
    `${cache}/environments-v2/${machine.hex(16)}/${machine.hex(16)}`,
    `archive-v0/${id}`,
  );
  const record = distribution(machine, environment(machine, at), [
    'openhands',
    '1.3.0',
    'openhands',
  ]);
  machine.found('pypi', ['openhands', 'openhands', '1.3.0'], record, {
    via: 'uvx',
    state: 'cached',
  });
  const wheel = `${cache}/archive-v0/b81Xq0_unpacked`;
  machine.decoy(
    'unpacked package in a cache',
    distribution(machine, wheel, ['crewai', '1.0.0', 'crewai']),
  );
}

function plantDecoys(machine: Machine): void {
  const site = `${roaming('ana')}/Python/Python313/site-packages`;
  machine.decoy(
    'PyPI package that shares its name with the coding agent',
    distribution(machine, site, ['cline', '0.3.0']),
  );
  machine.decoy(
    'PyPI package whose name only begins like the tool (synthetic)',
    distribution(machine, site, ['aider-chat-extras', '0.1.0']),
  );
  const aside = `${local('ben')}/Programs/Python/Python312/Lib/site-packages/~hell_gpt-1.4.4.dist-info`;
  machine.file(`${aside}/METADATA`, 'Metadata-Version: 2.1\nName: shell-gpt\nVersion: 1.4.4\n\n');
  machine.decoy('what pip set aside and could not delete', aside, 'residual');
  launcher(machine, `${home('ben')}/.local/bin/crewai.exe`);
  machine.decoy(
    'launcher whose environment is gone',
    `${home('ben')}/.local/bin/crewai.exe`,
    'residual',
  );
}
