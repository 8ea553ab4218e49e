#!/usr/bin/env node
// Builds a developer workstation's $HOME with AI tools planted in known places, for scanner benchmarks and tests.
//   node make-home.mjs DEST [--projects 60] [--scale 1] [--seed 1] [--os linux|darwin]
// Same arguments, same tree (extensions.json and activeVersion links hold DEST's own path, as the real files do).
// DEST must not exist. --scale shrinks the filler only (files per project, caches); every planted finding is there at any scale.
// Ground truth goes to DEST.truth.json (its `notes` say how to compare): findings a scanner must report, decoys it must not.
import fs from 'node:fs';
import path from 'node:path';
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import { parseArgs } from 'node:util';

const { values: opt, positionals } = parseArgs({ allowPositionals: true, options: {
  projects: { type: 'string', default: '60' }, scale: { type: 'string', default: '1' },
  seed: { type: 'string', default: '1' }, os: { type: 'string', default: 'linux' } } });
if (positionals.length !== 1 || !['linux', 'darwin'].includes(opt.os)) {
  console.error('usage: node make-home.mjs DEST [--projects 60] [--scale 1] [--seed 1] [--os linux|darwin]');
  process.exit(2);
}
const DEST = path.resolve(positionals[0]);
if (fs.existsSync(DEST)) { console.error('refusing: the destination exists'); process.exit(2); }
const PROJECTS = Number(opt.projects), SCALE = Number(opt.scale), MAC = opt.os === 'darwin';

// ---- deterministic randomness and file helpers -------------------------------------------------------------------
let state = Number(opt.seed) >>> 0;
const rnd = () => { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state; t = Math.imul(t ^ (t >>> 15), t | 1); t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const int = (lo, hi) => lo + Math.floor(rnd() * (hi - lo + 1));
const pick = (list) => list[Math.floor(rnd() * list.length)];
const hex = (n) => Array.from({ length: Math.ceil(n / 8) }, () => Math.floor(rnd() * 2 ** 32).toString(16).padStart(8, '0')).join('').slice(0, n);
const n = (full) => Math.max(1, Math.round(full * SCALE));
const FILLER = Buffer.from('// generated filler so that the tree weighs what a real one weighs\nexport const x = () => 1;\n'.repeat(180));
const made = new Set();
const stats = { files: 0, dirs: 0, links: 0, bytes: 0 };
const dir = (at) => {
  const rel = path.normalize(at);
  if (made.has(rel)) return;
  const parent = path.dirname(rel);
  if (parent !== rel && parent !== '.') dir(parent);
  fs.mkdirSync(path.join(DEST, rel), { recursive: true }); made.add(rel); stats.dirs++;
};
const file = (rel, body, mode) => {
  dir(path.dirname(rel));
  fs.writeFileSync(DEST + path.sep + rel, body, mode ? { mode } : undefined);
  stats.files++; stats.bytes += body.length;
};
const json = (rel, value) => file(rel, JSON.stringify(value, null, 2) + '\n');
const filler = (rel) => file(rel, FILLER.subarray(0, Math.floor(Math.exp(4 + rnd() * 4.6)))); // 50 B - 5 KB
const link = (rel, target) => { dir(path.dirname(rel)); fs.symlinkSync(target, path.join(DEST, rel)); stats.links++; };
const linkTo = (rel, targetRel) => link(rel, path.relative(path.dirname(rel), targetRel));
const ELF = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), Buffer.alloc(4088)]);
const MACHO = Buffer.concat([Buffer.from([0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1]), Buffer.alloc(4088)]);
const binary = (rel, marker = '') => file(rel, Buffer.concat([MAC ? MACHO : ELF, Buffer.from(marker)]), 0o755); // marker: text a real build holds
const script = (rel, body) => file(rel, body, 0o755);

// identifier -> id in the catalogue; what is not here has no entry there and gets `tool: null`
const TOOL = Object.fromEntries(Object.entries({
  'claude-code': '@anthropic-ai/claude-code claude-code', 'codex-cli': '@openai/codex codex', 'gemini-cli': '@google/gemini-cli gemini-cli', opencode: 'opencode-ai opencode',
  'github-copilot-cli': '@github/copilot copilot-cli', 'qwen-code': '@qwen-code/qwen-code', amp: '@ampcode/cli', augment: '@augmentcode/auggie', aider: 'aider-chat aider', goose: 'goose', crush: 'crush',
  'open-interpreter': 'open-interpreter', vllm: 'vllm', litellm: 'litellm', gpt4all: 'gpt4all', ollama: 'ollama ollama-app com.electron.ollama', 'llama-cpp': 'llama.cpp', 'cursor-agent': 'cursor-agent',
  'sdk-openai': 'openai openai-agents', 'sdk-claude-agent': 'claude-agent-sdk', 'claude-code-vscode': 'anthropic.claude-code', 'openai-chatgpt-vscode': 'openai.chatgpt', 'claude-code-jetbrains': 'com.anthropic.code.plugin',
  'github-copilot': 'github.copilot github.copilot-chat com.github.copilot', continue: '@continuedev/cli continue.continue com.github.continuedev.continueintellijextension', cline: 'saoudrizwan.claude-dev',
  'roo-code': 'rooveterinaryinc.roo-cline', 'codeium-plugins': 'codeium.codeium com.codeium.intellij', tabnine: 'tabnine.tabnine-vscode com.tabnine.TabNine', 'amazon-q': 'amazonwebservices.amazon-q-vscode',
  'gemini-code-assist': 'google.geminicodeassist', cody: 'sourcegraph.cody-ai com.sourcegraph.jetbrains', 'jetbrains-ai': 'com.intellij.ml.llm', 'claude-for-chrome': 'fcoeoabgfenejglbffodgkkbkcdhcgfn',
  monica: 'ofpnmcalabcbjgholdjcjblkibolbppb', sider: 'difoiogjjojoaoomphldepapgpbgkhkb', merlin: 'camppjleccjaphfdbohjdohecfnoikec', cursor: 'cursor com.todesktop.230313mzl4w4u92',
  'claude-desktop': 'com.anthropic.claudefordesktop', 'chatgpt-classic': 'com.openai.chat', 'lm-studio': 'lm-studio ai.elementlabs.lmstudio', windsurf: 'com.exafunction.windsurf',
}).flatMap(([tool, ids]) => ids.split(' ').map((id) => [id, tool])));
const truth = { notes: [
  'Paths are relative to the home. A report is of a finding when its path, or the real path of it, is path, target or one in also, or lies below one of them.',
  'Findings with the same `install` are one install seen twice (cask and app bundle): reporting either is enough, both is no mistake.',
  'tool is an id of the catalogue; null: no entry there (MCP servers carry `host`, a host of mcp_host_paths or a tool id). version as the channel records it (casks: after the comma the build); null: any or none is right. via is the package manager or host program within the channel.',
  'Decoy: no report with state installed, cached, bundled or disabled at or below its path. A decoy inside a finding\'s path wins. `mayBe` names the state that is right there; state residual is never a false positive.',
], findings: [], decoys: [] };
const found = (channel, name, version, rel, extra = {}) => truth.findings.push({ channel, tool: channel === 'mcp' ? null : TOOL[name] ?? null, name, version, path: rel, state: 'installed', scope: 'global', ...extra });
const decoy = (why, rel, extra = {}) => truth.decoys.push({ why, path: rel, ...extra });

// ---- filler names: real packages, so that name matching has real near misses ---------------------------------------
const NPM = ('accepts acorn ajv ansi-regex ansi-styles anymatch argparse array-flatten async asynckit axios babel-jest balanced-match base64-js body-parser brace-expansion braces browserslist bytes call-bind camelcase caniuse-lite chalk chokidar ci-info cliui clsx color-convert color-name combined-stream commander concat-map content-disposition content-type convert-source-map cookie cors cross-spawn csstype date-fns debug deep-is deepmerge define-properties delayed-stream depd destroy detect-libc diff doctrine dotenv duplexer ee-first electron-to-chromium emoji-regex encodeurl enhanced-resolve entities error-ex es-abstract esbuild escalade escape-html eslint eslint-scope espree esprima esquery esrecurse estraverse esutils etag eventemitter3 events execa express fast-deep-equal fast-glob fast-json-stable-stringify fastq fill-range finalhandler find-up flat-cache flatted follow-redirects form-data forwarded fresh fs-extra function-bind gensync get-caller-file get-intrinsic get-stream glob glob-parent globals globby gopd graceful-fs graphemer has-flag has-symbols hasown http-errors human-signals iconv-lite ieee754 ignore immer import-fresh imurmurhash inflight inherits ini ipaddr.js is-arrayish is-core-module is-extglob is-fullwidth-code-point is-glob is-number is-plain-object is-stream isexe jest jest-worker jiti js-tokens js-yaml jsesc json-buffer json-schema-traverse json5 jsonfile keyv kleur levn lilconfig lines-and-columns locate-path lodash lodash.merge loose-envify lru-cache magic-string make-dir media-typer merge-descriptors merge-stream merge2 methods micromatch mime mime-db mime-types mimic-fn minimatch minimist minipass mkdirp ms mz nanoid natural-compare negotiator neo-async next node-fetch node-releases normalize-path npm-run-path object-assign object-inspect on-finished once onetime optionator p-limit p-locate parse-json parse5 parseurl path-exists path-key path-parse path-to-regexp picocolors picomatch pirates pkg-dir postcss prelude-ls prettier pretty-format prop-types proxy-addr punycode qs queue-microtask range-parser raw-body react react-dom react-is readable-stream readdirp redux regenerator-runtime require-directory resolve resolve-from reusify rimraf rollup run-parallel rxjs safe-buffer safer-buffer scheduler semver send serve-static setprototypeof shebang-command side-channel signal-exit slash source-map source-map-js sprintf-js stack-utils statuses string-width strip-ansi strip-bom strip-json-comments sucrase supports-color tailwindcss terser text-table thenify tinyglobby to-regex-range toidentifier tr46 ts-node tslib type-check type-fest type-is typescript undici undici-types unpipe update-browserslist-db uri-js util-deprecate uuid v8-to-istanbul vary vite webidl-conversions webpack whatwg-url which word-wrap wrap-ansi wrappy ws y18n yallist yargs yargs-parser yocto-queue zod @babel/code-frame @babel/core @babel/generator @babel/parser @babel/template @babel/traverse @babel/types @eslint/js @jridgewell/gen-mapping @jridgewell/sourcemap-codec @nodelib/fs.scandir @nodelib/fs.stat @nodelib/fs.walk @rollup/pluginutils @types/estree @types/json-schema @types/node @types/react @typescript-eslint/parser @typescript-eslint/types').split(' ');
const PYPI = ('aiohttp annotated-types anyio attrs beautifulsoup4 black boto3 botocore cachetools certifi cffi charset-normalizer click colorama coverage cryptography distro django exceptiongroup fastapi filelock flask frozenlist fsspec google-auth greenlet grpcio h11 httpcore httpx idna importlib-metadata iniconfig jinja2 jmespath jsonschema lxml markupsafe multidict mypy-extensions networkx numpy packaging pandas pathspec pillow platformdirs pluggy protobuf psutil pyarrow pycparser pydantic pydantic-core pygments pyjwt pytest python-dateutil pytz pyyaml referencing regex requests rich rpds-py ruff s3transfer scipy setuptools six sniffio sqlalchemy starlette tqdm typing-extensions urllib3 uvicorn virtualenv websockets wheel yarl zipp').split(' ');
const VSX = ('ms-python.python ms-python.vscode-pylance ms-python.debugpy dbaeumer.vscode-eslint esbenp.prettier-vscode eamodio.gitlens ms-azuretools.vscode-docker golang.go rust-lang.rust-analyzer redhat.java redhat.vscode-yaml redhat.vscode-xml vscjava.vscode-java-debug vscjava.vscode-maven ms-vscode.cpptools ms-vscode.cmake-tools ms-vscode-remote.remote-ssh ms-vscode-remote.remote-containers ms-vsliveshare.vsliveshare streetsidesoftware.code-spell-checker editorconfig.editorconfig christian-kohler.path-intellisense formulahendry.auto-rename-tag formulahendry.code-runner ritwickdey.liveserver pkief.material-icon-theme zhuangtongfa.material-theme dracula-theme.theme-dracula vscodevim.vim bradlc.vscode-tailwindcss vue.volar svelte.svelte-vscode angular.ng-template dart-code.dart-code dart-code.flutter hashicorp.terraform mikestead.dotenv gruntfuggly.todo-tree usernamehw.errorlens yzhang.markdown-all-in-one davidanson.vscode-markdownlint humao.rest-client rangav.vscode-thunder-client mtxr.sqltools donjayamanne.githistory mhutchie.git-graph github.vscode-pull-request-github github.vscode-github-actions ms-kubernetes-tools.vscode-kubernetes-tools tamasfe.even-better-toml wix.vscode-import-cost').split(' ');
const ver = () => `${int(0, 9)}.${int(0, 20)}.${int(0, 12)}`;
const sri = () => 'sha512-' + Buffer.from(hex(128), 'hex').toString('base64');

// ---- npm ----------------------------------------------------------------------------------------------------------
function npmPackage(rel, name, version, { bin, files } = {}) { // one installed package directory
  json(`${rel}/package.json`, { name, version, description: `${name} package`, main: 'index.js', license: 'MIT',
    repository: { type: 'git', url: `git+https://github.com/npm/${name.replace('@', '')}.git` }, ...(bin ? { bin } : {}) });
  file(`${rel}/index.js`, FILLER.subarray(0, 300));
  filler(`${rel}/README.md`); filler(`${rel}/LICENSE`);
  const want = files ?? Math.min(160, Math.round(Math.exp(2.1 + 0.95 * (rnd() + rnd() + rnd() - 1.5) * 2)) - 4);
  for (let i = 0; i < want * Math.min(1, SCALE * 2); i++) filler(`${rel}/${pick(['lib', 'dist', 'dist/esm', 'dist/types', 'src'])}/m${i}.${pick(['js', 'js', 'mjs', 'd.ts', 'js.map'])}`);
  for (const target of new Set(Object.values(bin ?? {}))) target.endsWith('.exe') ? binary(`${rel}/${target}`) : script(`${rel}/${target}`, '#!/usr/bin/env node\nimport("./index.js");\n');
}
function npmProject(rel, i, extra = []) { // npm or (every fifth) pnpm layout, lockfile included; extra: [name, version, bin]
  const deps = [...extra.map(([name]) => name), ...NPM.filter(() => rnd() < 0.72).slice(0, n(400))];
  const pnpm = i % 5 === 4;
  const packages = {};
  for (const name of deps) {
    const [, version, bin] = extra.find(([x]) => x === name) ?? [name, ver()], at = `${rel}/node_modules/${name}`;
    if (pnpm) {
      const real = `${rel}/node_modules/.pnpm/${name.replace('/', '+')}@${version}/node_modules/${name}`;
      npmPackage(real, name, version, { bin }); linkTo(at, real);
    } else {
      npmPackage(at, name, version, { bin });
      if (rnd() < 0.15) { const dep = pick(NPM), v = ver(); npmPackage(`${rel}/node_modules/${name}/node_modules/${dep}`, dep, v); packages[`node_modules/${name}/node_modules/${dep}`] = { version: v }; }
    }
    for (const [cmd, target] of Object.entries(bin ?? {})) pnpm ? script(`${rel}/node_modules/.bin/${cmd}`, `#!/bin/sh\nbasedir=$(dirname "$0")\nexec node "$basedir/../${name}/${target}" "$@"\n`) : linkTo(`${rel}/node_modules/.bin/${cmd}`, `${at}/${target}`);
    packages[`node_modules/${name}`] = { version, resolved: `https://registry.example.org/${name}/-/${name.split('/').pop()}-${version}.tgz`, integrity: sri(), license: 'MIT', ...(bin ? { bin } : {}) };
  }
  const own = `project-${i}`, dependencies = Object.fromEntries(deps.slice(0, pnpm ? Infinity : 25).map((d) => [d, `^${packages[`node_modules/${d}`].version}`]));
  json(`${rel}/package.json`, { name: own, version: '1.0.0', private: true, dependencies });
  if (pnpm) { // all are direct dependencies: node_modules holds a link for each
    const v = (d) => packages[`node_modules/${d}`].version, lock = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n" + deps.map((d) => `      '${d}':\n        specifier: ^${v(d)}\n        version: ${v(d)}\n`).join('')
      + '\npackages:\n\n' + deps.map((d) => `  '${d}@${v(d)}':\n    resolution: {integrity: ${packages[`node_modules/${d}`].integrity}}\n`).join('\n') + '\nsnapshots:\n\n' + deps.map((d) => `  '${d}@${v(d)}': {}\n`).join('\n');
    file(`${rel}/pnpm-lock.yaml`, lock); file(`${rel}/node_modules/.pnpm/lock.yaml`, lock); file(`${rel}/node_modules/.modules.yaml`, 'layoutVersion: 5\nnodeLinker: isolated\nvirtualStoreDir: .pnpm\n');
  }
  else { json(`${rel}/package-lock.json`, { name: own, version: '1.0.0', lockfileVersion: 3, requires: true, packages: { '': { name: own, version: '1.0.0', dependencies }, ...packages } });
    json(`${rel}/node_modules/.package-lock.json`, { name: own, version: '1.0.0', lockfileVersion: 3, requires: true, packages }); }
}
// [package, version, bin], as the registry has them
const NPM_AI = [['@anthropic-ai/claude-code', '2.0.31', { claude: 'cli.js' }], ['@openai/codex', '0.50.0', { codex: 'bin/codex.js' }], ['@google/gemini-cli', '0.61.0', { gemini: 'bundle/gemini.js' }],
  ['opencode-ai', '1.18.33', { opencode: 'bin/opencode.exe' }], ['@github/copilot', '1.0.102', { copilot: 'npm-loader.js' }], ['@qwen-code/qwen-code', '0.24.4', { qwen: 'cli-entry.js' }],
  ['@ampcode/cli', '0.0.1790142911-g7618fb', { amp: 'bin/amp.exe' }], ['@continuedev/cli', '1.5.47', { cn: 'dist/cn.js' }],
  ['task-master-ai', '0.29.0', { 'task-master': 'dist/task-master.js', 'task-master-mcp': 'dist/mcp-server.js', 'task-master-ai': 'dist/mcp-server.js' }],
  ['promptfoo', '0.118.17', { promptfoo: 'dist/src/main.js', pf: 'dist/src/main.js' }], ['@augmentcode/auggie', '0.36.0', { auggie: 'augment.mjs' }]];
const CLAUDE_NATIVE = ['@anthropic-ai/claude-code', '2.1.120', { claude: 'bin/claude.exe' }], PLATFORM = MAC ? 'darwin-arm64' : 'linux-x64';
function npmGlobal(prefix, via, tools, plain = ['typescript', 'prettier', 'eslint', 'rimraf']) { // an npm prefix: lib/node_modules + bin
  for (const name of plain) npmPackage(`${prefix}/lib/node_modules/${name}`, name, ver());
  for (const tool of tools) {
    const [name, version, bin] = tool, rel = `${prefix}/lib/node_modules/${name}`;
    npmPackage(rel, name, version, { bin });
    for (const [cmd, target] of Object.entries(bin)) linkTo(`${prefix}/bin/${cmd}`, `${rel}/${target}`);
    found('npm', name, version, rel, { via });
    if (tool !== CLAUDE_NATIVE) continue; // >= 2.1.113: the platform package's binary is hard-linked over bin/claude.exe
    const half = `${rel}/node_modules/${name}-${PLATFORM}`;
    json(`${half}/package.json`, { name: `${name}-${PLATFORM}`, version, os: [PLATFORM.split('-')[0]], cpu: [PLATFORM.split('-')[1]] });
    fs.linkSync(path.join(DEST, `${rel}/bin/claude.exe`), path.join(DEST, `${half}/claude`)); stats.files++;
    script(`${rel}/cli-wrapper.cjs`, '#!/usr/bin/env node\nrequire("node:child_process");\n'); file(`${rel}/install.cjs`, '// links the platform binary\n');
    decoy('platform half of an npm package already reported, one inode with its launcher: no second install', half);
  }
}
function nodeDist(prefix) { // what a Node tarball ships
  binary(`${prefix}/bin/node`);
  for (const cmd of ['npm', 'npx']) link(`${prefix}/bin/${cmd}`, `../lib/node_modules/npm/bin/${cmd}-cli.js`);
  npmPackage(`${prefix}/lib/node_modules/npm`, 'npm', '10.8.2', { files: 120, bin: { npm: 'bin/npm-cli.js', npx: 'bin/npx-cli.js' } });
  for (const name of NPM.slice(0, 190)) npmPackage(`${prefix}/lib/node_modules/npm/node_modules/${name}`, name, ver(), { files: int(2, 12) });
  npmPackage(`${prefix}/lib/node_modules/corepack`, 'corepack', '0.34.0', { files: 12 });
  for (let i = 0; i < n(600); i++) filler(`${prefix}/include/node/${pick(['openssl', 'uv', 'cppgc', 'libplatform'])}/h${i}.h`);
}
for (const [i, v] of ['v18.20.8', 'v20.19.5', 'v22.21.0'].entries()) {
  nodeDist(`.nvm/versions/node/${v}`);
  npmGlobal(`.nvm/versions/node/${v}`, 'nvm', i === 2 ? [CLAUDE_NATIVE, ...NPM_AI.slice(1, 4)] : [NPM_AI[i]]);
}
dir('.nvm/versions/node/v18.20.8/lib/node_modules/@openai'); decoy('empty scope folder that an uninstall left', '.nvm/versions/node/v18.20.8/lib/node_modules/@openai');
{ const half = '.nvm/versions/node/v20.19.5/lib/node_modules/@anthropic-ai/.claude-code-2DTsDk1V';
  npmPackage(half, ...NPM_AI[0].slice(0, 2), { bin: NPM_AI[0][2] }); decoy('dot-folder that a broken npm update left, without its launcher', half, { mayBe: 'residual' }); }
file('.nvm/alias/default', '22\n'); file('.nvm/nvm.sh', '# nvm\n');
const share = MAC ? 'Library/Application Support' : '.local/share';
nodeDist(`${share}/fnm/node-versions/v20.19.5/installation`);
npmGlobal(`${share}/fnm/node-versions/v20.19.5/installation`, 'fnm', [NPM_AI[4]]);
linkTo(`${share}/fnm/aliases/default`, `${share}/fnm/node-versions/v20.19.5/installation`);
npmGlobal('.npm-global', 'prefix', [NPM_AI[9]], ['serve-static']); file('.npmrc', 'prefix=${HOME}/.npm-global\n');
for (const [name, version, why] of [['@antropic-ai/claude-code', '2.1.120', 'typosquat scope (synthetic name)'], ['litellm', '0.12.0', 'npm package that only shares its name with the PyPI gateway']]) {
  const at = `.npm-global/lib/node_modules/${name}`; npmPackage(at, name, version); decoy(why, at); }
{ const node = '.local/share/mise/installs/node/22.21.0'; nodeDist(node); npmGlobal(node, 'mise', [NPM_AI[10]], []); link('.local/share/mise/installs/node/22', './22.21.0'); }
{ const [name, version, bin] = NPM_AI[5], [cmd] = Object.keys(bin), rel = `.volta/tools/image/packages/${name}/lib/node_modules/${name}`;
  npmPackage(rel, name, version, { bin }); linkTo(`.volta/tools/image/packages/${name}/bin/${cmd}`, `${rel}/${bin[cmd]}`); found('npm', name, version, rel, { via: 'volta' });
  const platform = { node: '22.21.0', npm: null, pnpm: null, yarn: null };
  json(`.volta/tools/user/packages/${name}.json`, { name, version, platform, bins: [cmd], manager: 'Npm' });
  json(`.volta/tools/user/bins/${cmd}.json`, { name: cmd, package: name, version, platform, manager: 'Npm' }); file('.volta/layout.v4', '');
  nodeDist('.volta/tools/image/node/22.21.0'); binary('.volta/bin/volta-shim'); link(`.volta/bin/${cmd}`, 'volta-shim');
  link('.volta/bin/codex', 'volta-shim'); decoy('shim whose package record is gone', '.volta/bin/codex', { mayBe: 'residual' }); }
const pnpmHome = MAC ? 'Library/pnpm' : '.local/share/pnpm';
{ const [name, version, bin] = NPM_AI[6], [cmd] = Object.keys(bin), root = `${pnpmHome}/global/5`, real = `${root}/.pnpm/${name.replace('/', '+')}@${version}/node_modules/${name}`;
  npmPackage(real, name, version, { bin }); linkTo(`${root}/node_modules/${name}`, real);
  json(`${root}/package.json`, { dependencies: { [name]: version } }); script(`${pnpmHome}/${cmd}`, `#!/bin/sh\nbasedir=$(dirname "$0")\nexec "$basedir/global/5/node_modules/${name}/${bin[cmd]}" "$@"\n`);
  found('npm', name, version, `${root}/node_modules/${name}`, { via: 'pnpm', target: real }); }
{ const [name, version, bin] = NPM_AI[7], [cmd] = Object.keys(bin), root = '.bun/install/global', rel = `${root}/node_modules/${name}`;
  npmPackage(rel, name, version, { bin }); json(`${root}/package.json`, { dependencies: { [name]: `^${version}` } });
  json(`${root}/bun.lock`, { lockfileVersion: 1, workspaces: { '': { dependencies: { [name]: `^${version}` } } }, packages: { [name]: [`${name}@${version}`, '', { bin }, sri()] } });
  linkTo(`.bun/bin/${cmd}`, `${rel}/${bin[cmd]}`); binary('.bun/bin/bun'); found('npm', name, version, rel, { via: 'bun' });
  dir('.bun/bin/claude'); decoy('a directory called claude on PATH', '.bun/bin/claude'); }
{ const [name, version, bin] = NPM_AI[8], root = '.config/yarn/global', rel = `${root}/node_modules/${name}`;
  npmPackage(rel, name, version, { bin }); json(`${root}/package.json`, { dependencies: { [name]: `^${version}` } });
  file(`${root}/yarn.lock`, `# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n\n\n${name}@^${version}:\n  version "${version}"\n  resolved "https://registry.example.org/${name}/-/${name}-${version}.tgz"\n  integrity ${sri()}\n`);
  for (const [cmd, target] of Object.entries(bin)) { linkTo(`${root}/node_modules/.bin/${cmd}`, `${rel}/${target}`); linkTo(`.yarn/bin/${cmd}`, `${root}/node_modules/.bin/${cmd}`); }
  found('npm', name, version, rel, { via: 'yarn' }); }
{ const [name, , bin] = NPM_AI[2], version = '0.60.0', root = '.npm/_npx/4f2c1a9e8b7d6035', rel = `${root}/node_modules/${name}`; // run once with npx
  npmPackage(rel, name, version, { bin }); json(`${root}/package.json`, { dependencies: { [name]: `^${version}` }, _npx: { packages: [name] } }); linkTo(`${root}/node_modules/.bin/gemini`, `${rel}/${bin.gemini}`);
  found('npm', name, version, rel, { via: 'npx', state: 'cached' }); }

// ---- Python -------------------------------------------------------------------------------------------------------
function dist(site, name, version, { cmd, installer = 'pip', bin } = {}) { // one installed distribution, PEP 376/427/566
  const mod = name.replace(/-/g, '_'), info = `${site}/${mod}-${version}.dist-info`;
  file(`${info}/METADATA`, `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\nSummary: ${name}\nRequires-Python: >=3.9\nLicense: Apache-2.0\n\n# ${name}\n`);
  file(`${info}/WHEEL`, 'Wheel-Version: 1.0\nGenerator: hatchling 1.27.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n');
  file(`${info}/INSTALLER`, `${installer}\n`); file(`${info}/top_level.txt`, `${mod}\n`);
  if (cmd) file(`${info}/entry_points.txt`, `[console_scripts]\n${cmd} = ${mod}.main:main\n`);
  const mods = ['__init__.py'];
  for (let i = 0; i < int(4, 26) * Math.min(1, SCALE * 2); i++) mods.push(`${pick(['', 'utils/', '_internal/', 'core/'])}m${i}.py`);
  for (const m of mods) { filler(`${site}/${mod}/${m}`); filler(`${site}/${mod}/${path.dirname(m)}/__pycache__/${path.basename(m, '.py')}.cpython-312.pyc`); }
  if (cmd && bin) script(`${bin}/${cmd}`, `#!/usr/bin/python3\nimport sys\nfrom ${mod}.main import main\nsys.exit(main())\n`);
  file(`${info}/RECORD`, [...(cmd && bin ? [`${path.relative(site, bin)}/${cmd},,`] : []), ...mods.map((m) => `${mod}/${m},,`), `${path.basename(info)}/RECORD,,`].join('\n') + '\n');
  return info;
}
function venv(rel, uv) {
  file(`${rel}/pyvenv.cfg`, `home = /usr/bin\n${uv ? 'implementation = CPython\nuv = 0.9.5\nversion_info = 3.12.11\ninclude-system-site-packages = false' : 'include-system-site-packages = false\nversion = 3.12.11'}\n`);
  link(`${rel}/bin/python`, '/usr/bin/python3'); for (const a of ['activate', 'activate.fish', 'Activate.ps1']) filler(`${rel}/bin/${a}`);
  return `${rel}/lib/python3.12/site-packages`;
}
const PIPX = [['aider-chat', '0.86.1', 'aider'], ['llm', '0.27.1', 'llm'], ['open-interpreter', '0.4.3', 'interpreter']];
const UV = [['aider-chat', '0.86.1', 'aider'], ['mistral-vibe', '1.0.0', 'vibe'], ['shell-gpt', '1.4.5', 'sgpt'], ['vllm', '0.11.0', 'vllm']];
const pipxHome = MAC ? '.local/pipx' : '.local/share/pipx';
for (const [name, version, cmd] of PIPX) {
  const root = `${pipxHome}/venvs/${name}`, site = venv(root);
  for (const d of PYPI.filter(() => rnd() < 0.5)) dist(site, d, ver());
  const info = dist(site, name, version, { cmd });
  file(`${root}/bin/${cmd}`, `#!${DEST}/${root}/bin/python\nimport sys\n`, 0o755);
  json(`${root}/pipx_metadata.json`, { injected_packages: {}, main_package: { app_paths: [{ __Path__: `${DEST}/${root}/bin/${cmd}`, __type__: 'Path' }], app_paths_of_dependencies: {}, apps: [cmd], apps_of_dependencies: [], include_apps: true, include_dependencies: false,
    man_pages: [], man_pages_of_dependencies: [], man_paths: [], man_paths_of_dependencies: {}, package: name, package_or_url: name, package_version: version, pinned: false, pip_args: [], suffix: '' }, pipx_metadata_version: '0.5', python_version: 'Python 3.12.11', source_interpreter: null, venv_args: [] });
  if (cmd !== 'aider') linkTo(`.local/bin/${cmd}`, `${root}/bin/${cmd}`); // the uv tool of that name took the launcher
  found('pypi', name, version, root, { via: 'pipx', evidence: `${info}/METADATA` });
}
for (const [name, version, cmd] of UV) {
  const root = `.local/share/uv/tools/${name}`, site = venv(root, true);
  for (const d of PYPI.filter(() => rnd() < 0.5)) dist(site, d, ver(), { installer: 'uv' });
  const info = dist(site, name, version, { cmd, installer: 'uv' });
  script(`${root}/bin/${cmd}`, `#!${DEST}/${root}/bin/python\nimport sys\n`); linkTo(`.local/bin/${cmd}`, `${root}/bin/${cmd}`);
  file(`${root}/uv-receipt.toml`, `[tool]\nrequirements = [{ name = "${name}" }]\nentrypoints = [\n    { name = "${cmd}", install-path = "${DEST}/.local/bin/${cmd}", from = "${name}" },\n]\n`);
  found('pypi', name, version, root, { via: 'uv', evidence: `${info}/METADATA` });
}
const userSite = MAC ? 'Library/Python/3.12/lib/python/site-packages' : '.local/lib/python3.12/site-packages', userBin = MAC ? 'Library/Python/3.12/bin' : '.local/bin';
for (const d of PYPI.slice(0, 40)) dist(userSite, d, ver());
for (const [name, version, cmd] of [['litellm', '1.78.5', 'litellm'], ['crewai', '1.1.0', 'crewai'], ['claude-agent-sdk', '0.1.4'], ['openai-agents', '0.4.0']]) found('pypi', name, version, dist(userSite, name, version, { cmd, bin: userBin }), { via: 'user' });
decoy('PyPI package that only shares its name with the coding agent', dist(userSite, 'cline', '0.3.0'));
decoy('PyPI package whose name only begins like the tool (synthetic)', dist(userSite, 'aider-chat-extras', '0.1.0'));
const pyenv = '.pyenv/versions/3.11.13/lib/python3.11/site-packages';
for (const d of PYPI.slice(20, 60)) dist(pyenv, d, ver());
found('pypi', 'gpt4all', '2.8.2', dist(pyenv, 'gpt4all', '2.8.2'), { via: 'pyenv' });

// ---- editor extensions --------------------------------------------------------------------------------------------
function extensions(root, via, plain, ai) {
  const list = [];
  for (const [id, version, isAi, native] of [...plain.map((id) => [id, ver(), false]), ...ai.map(([id, v, native]) => [id, v, true, native])]) {
    const [publisher, name] = id.split('.'), targetPlatform = native === undefined ? 'undefined' : PLATFORM, folder = `${id.toLowerCase()}-${version}${native === undefined ? '' : `-${PLATFORM}`}`, rel = `${root}/${folder}`;
    const uuid = crypto.createHash('md5').update(id).digest('hex').replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
    json(`${rel}/package.json`, { name, displayName: name, publisher, version, engines: { vscode: '^1.95.0' }, main: './dist/extension.js', categories: isAi ? ['AI', 'Chat'] : ['Other'], activationEvents: ['onStartupFinished'], contributes: { commands: [] }, __metadata: { id: uuid, targetPlatform, source: 'gallery' } });
    file(`${rel}/.vsixmanifest`, `<?xml version="1.0" encoding="utf-8"?><PackageManifest Version="2.0.0"><Metadata><Identity Language="en-US" Id="${name}" Version="${version}" Publisher="${publisher}"/></Metadata></PackageManifest>\n`);
    for (let i = 0; i < n(int(20, 260)); i++) filler(`${rel}/${pick(['dist', 'out', 'media', 'node_modules/vscode-languageclient/lib', 'l10n', 'syntaxes', 'resources/icons'])}/f${i}.${pick(['js', 'json', 'svg', 'js.map'])}`);
    list.push({ identifier: { id: id.toLowerCase(), uuid }, version, location: { $mid: 1, path: `${DEST}/${rel}`, scheme: 'file' }, relativeLocation: folder, metadata: { installedTimestamp: 1760000000000 + list.length * 1000, pinned: false, source: 'gallery', publisherDisplayName: publisher, targetPlatform, updated: false, isPreReleaseVersion: false, hasPreReleaseVersion: false } });
    if (!isAi) continue;
    found('editor-extension', id.toLowerCase(), version, rel, { via });
    if (native) { binary(`${rel}/${native}`); found('executable', path.basename(native), null, `${rel}/${native}`, { tool: native.endsWith('codex') ? 'codex-cli' : 'claude-code', state: 'bundled' }); }
  }
  file(`${root}/extensions.json`, JSON.stringify(list));
}
// [id, version, program inside ('' = platform-specific folder without one)]
const VSX_AI = [['Anthropic.claude-code', '2.1.120', 'resources/native-binary/claude'], ['openai.chatgpt', '0.4.66', `bin/${MAC ? 'macos-aarch64' : 'linux-x86_64'}/codex`], ['GitHub.copilot', '1.388.0'], ['GitHub.copilot-chat', '0.32.4'], ['Continue.continue', '1.2.10', ''], ['saoudrizwan.claude-dev', '3.34.0'], ['RooVeterinaryInc.roo-cline', '3.28.18'], ['Codeium.codeium', '1.48.2'], ['TabNine.tabnine-vscode', '3.320.0'], ['AmazonWebServices.amazon-q-vscode', '1.98.0'], ['Google.geminicodeassist', '2.55.0'], ['sourcegraph.cody-ai', '1.128.0']];
extensions('.vscode/extensions', 'vscode', [...VSX.slice(0, 48), 'anthropic.claude-code-theme'], VSX_AI);
extensions('.cursor/extensions', 'cursor', VSX.slice(5, 23), [VSX_AI[0], VSX_AI[5]]);
extensions('.windsurf/extensions', 'windsurf', VSX.slice(10, 22), [VSX_AI[1]]);
{ const at = '.vscode/extensions', stale = `anthropic.claude-code-2.1.91-${PLATFORM}`, stray = 'github.copilot-1.300.0', ext = (folder, publisher, name, version) => json(`${at}/${folder}/package.json`, { name, publisher, version, engines: { vscode: '^1.95.0' } });
  ext(stale, 'Anthropic', 'claude-code', '2.1.91'); // an update leaves the old folder behind until the next start
  json(`${at}/.obsolete`, { [stale]: true }); decoy('superseded extension folder, listed in .obsolete and absent from extensions.json', `${at}/${stale}`, { mayBe: 'residual' });
  ext(stray, 'GitHub', 'copilot', '1.300.0'); decoy('extension folder absent from extensions.json: the editor does not load it', `${at}/${stray}`, { mayBe: 'residual' });
  filler(`${at}/kilocode.kilo-code-4.100.0/dist/extension.js`); decoy('half-deleted extension folder without package.json', `${at}/kilocode.kilo-code-4.100.0`, { mayBe: 'residual' });
  decoy('extension id that differs by its suffix (synthetic id)', fs.readdirSync(path.join(DEST, at)).filter((f) => f.startsWith('anthropic.claude-code-theme-')).map((f) => `${at}/${f}`)[0]); }

// ---- JetBrains: plugin.xml lives inside a jar -----------------------------------------------------------------------
function zip(entries) {
  const local = [], central = []; let at = 0;
  for (const [name, text] of entries) {
    const raw = Buffer.from(text), data = zlib.deflateRawSync(raw), nm = Buffer.from(name), h = Buffer.alloc(26);
    h.writeUInt16LE(20, 0); h.writeUInt16LE(8, 4); h.writeUInt16LE(0x21, 8); h.writeUInt32LE(zlib.crc32(raw), 10); h.writeUInt32LE(data.length, 14); h.writeUInt32LE(raw.length, 18); h.writeUInt16LE(nm.length, 22);
    local.push(Buffer.from('PK\x03\x04'), h, nm, data);
    const tail = Buffer.alloc(14); tail.writeUInt32LE(at, 10);
    central.push(Buffer.from('PK\x01\x02\x14\x00'), h, tail, nm); at += 30 + nm.length + data.length;
  }
  const size = central.reduce((s, b) => s + b.length, 0), end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4); end.writeUInt16LE(entries.length, 6); end.writeUInt32LE(size, 8); end.writeUInt32LE(at, 12);
  return Buffer.concat([...local, ...central, Buffer.from('PK\x05\x06'), end]);
}
const jetbrains = (ide) => MAC ? `Library/Application Support/JetBrains/${ide}/plugins` : `.local/share/JetBrains/${ide}`;
const disabledPlugins = ['com.codeium.intellij'];
file(`${MAC ? 'Library/Application Support' : '.config'}/JetBrains/PyCharm2025.2/disabled_plugins.txt`, disabledPlugins.join('\n') + '\n');
for (const [ide, folder, id, name, version, jar = `${folder}-${version}`] of [
  ['IntelliJIdea2025.2', 'github-copilot-intellij', 'com.github.copilot', 'GitHub Copilot', '1.5.58-243', 'core'], ['IntelliJIdea2025.2', 'ml-llm', 'com.intellij.ml.llm', 'JetBrains AI Assistant', '252.26830.106', 'ml-llm'],
  ['WebStorm2025.2', 'claude-code-jetbrains-plugin', 'com.anthropic.code.plugin', 'Claude Code [Beta]', '0.1.14-beta'],
  ['PyCharm2025.2', 'continue-intellij-extension', 'com.github.continuedev.continueintellijextension', 'Continue', '1.0.48'], ['PyCharm2025.2', 'codeium', 'com.codeium.intellij', 'Windsurf Plugin', '2.12.21'],
  ['WebStorm2025.2', 'TabNine', 'com.tabnine.TabNine', 'Tabnine', '1.274.0'], ['WebStorm2025.2', 'Sourcegraph', 'com.sourcegraph.jetbrains', 'Cody', '7.84.0'],
  ['IntelliJIdea2025.2', 'ideavim', 'IdeaVIM', 'IdeaVim', '2.27.2'], ['PyCharm2025.2', 'string-manipulation', 'String Manipulation', 'String Manipulation', '9.16.0']]) {
  const rel = `${jetbrains(ide)}/${folder}`;
  file(`${rel}/lib/${jar}.jar`, zip([['META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\n'], ['META-INF/plugin.xml', `<idea-plugin>\n  <id>${id}</id>\n  <name>${name}</name>\n  <version>${version}</version>\n  <vendor>${name}</vendor>\n  <idea-version since-build="243"/>\n</idea-plugin>\n`]]));
  for (let i = 0; i < n(30); i++) file(`${rel}/lib/dep-${i}.jar`, zip([['META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\n']]));
  if (!['IdeaVIM', 'String Manipulation'].includes(id)) found('jetbrains-plugin', id, version, rel, { via: ide, ...(disabledPlugins.includes(id) ? { state: 'disabled' } : {}) });
}

// ---- browsers -----------------------------------------------------------------------------------------------------
const chrome = MAC ? 'Library/Application Support/Google/Chrome' : '.config/google-chrome';
const settings = {};
for (const [id, name, version, ai, state] of [['cjpalhdlnbpafiamejdnhcphjbkeiagm', 'uBlock Origin', '1.66.4'], ['nngceckbapebfimnlniiiahkandclblb', 'Bitwarden Password Manager', '2025.10.0'], ['fmkadmapgofadopljbjfkapdkoienihi', 'React Developer Tools', '7.0.1'], ['nhdogjmejiglipccpnnnanhbledajbpd', 'Vue.js devtools', '7.7.7'], ['ghbmnnjooekpmoecnnnilnnbdlolhkhi', 'Google Docs Offline', '1.97.1'],
  ['fcoeoabgfenejglbffodgkkbkcdhcgfn', 'Claude', '1.0.33', 1], ['ofpnmcalabcbjgholdjcjblkibolbppb', 'Monica: All-In-One AI Assistant', '9.1.1', 1], ['difoiogjjojoaoomphldepapgpbgkhkb', '__MSG_appName__', '5.20.1', 1], ['camppjleccjaphfdbohjdohecfnoikec', 'Merlin - Ask AI', '7.5.16', 1, 'disabled'],
  ['abcdefghijklmnopabcdefghijklmnop', 'Claude', '1.0.33']]) {
  const rel = `${chrome}/Default/Extensions/${id}/${version}_0`, localised = name.startsWith('__MSG_');
  const manifest = { name, version, manifest_version: 3, ...(localised ? { default_locale: 'en' } : {}), background: { service_worker: 'background.js' }, permissions: ['storage', 'tabs'], host_permissions: ['<all_urls>'], update_url: 'https://clients2.google.com/service/update2/crx' };
  json(`${rel}/manifest.json`, manifest);
  if (localised) for (const l of ['en', 'de', 'fr', 'ja']) json(`${rel}/_locales/${l}/messages.json`, { appName: { message: 'Sider: Chat with all AI' } });
  for (let i = 0; i < n(int(20, 160)); i++) filler(`${rel}/${pick(['js', 'img', 'css', '_metadata'])}/f${i}.js`);
  settings[id] = { path: `${id}/${version}_0`, state: state ? 0 : 1, ...(state ? { disable_reasons: [1] } : {}), location: 1, from_webstore: ai === 1 || name !== 'Claude', manifest };
  if (ai) found('browser-extension', id, version, rel, { via: 'chrome', ...(state ? { state } : {}) });
  else if (name === 'Claude') decoy('extension with the name of the tool and another id (synthetic id)', `${chrome}/Default/Extensions/${id}`);
}
{ const old = `${chrome}/Default/Extensions/fcoeoabgfenejglbffodgkkbkcdhcgfn/1.0.30_0`; json(`${old}/manifest.json`, { name: 'Claude', version: '1.0.30', manifest_version: 3 }); decoy('version folder that an update left: Preferences name another', old, { mayBe: 'residual' }); }
// Chrome keeps protected settings in Secure Preferences where it enforces them (macOS, Windows); on Linux they stay in Preferences
json(`${chrome}/Default/Preferences`, { profile: { name: 'Person 1' }, extensions: MAC ? {} : { settings } });
json(`${chrome}/Default/Secure Preferences`, { extensions: MAC ? { settings } : {}, protection: { macs: {} } });
json(`${chrome}/Local State`, { profile: { info_cache: { Default: { name: 'Person 1' } } } });
for (let i = 0; i < n(6000); i++) filler(`${MAC ? 'Library/Caches/Google/Chrome' : '.cache/google-chrome'}/Default/Cache/Cache_Data/f_${i.toString(16).padStart(6, '0')}`);
{ const ff = MAC ? 'Library/Application Support/Firefox' : '.mozilla/firefox', profile = MAC ? 'Profiles/k2x9q1ab.default-release' : 'k2x9q1ab.default-release', at = `${ff}/${profile}/extensions`, id = '{b764208e-0a98-436d-a599-c1baa044f829}', off = '{00000000-0000-4000-8000-000000000001}';
  file(`${ff}/profiles.ini`, `[Profile0]\nName=default-release\nIsRelative=1\nPath=${profile}\nDefault=1\n\n[General]\nStartWithLastProfile=1\nVersion=2\n`);
  json(`${ff}/${profile}/extensions.json`, { schemaVersion: 37, addons: [['uBlock0@raymondhill.net', 'uBlock Origin', '1.66.4'], [id, 'ChatGPTBox', '2.5.9'], [off, 'Claude', '1.0.0']].map(([i, name, version]) => ({ id: i, version, type: 'extension', location: 'app-profile', userDisabled: false, appDisabled: false, active: true, visible: true, signedState: 2, defaultLocale: { name }, path: `${DEST}/${at}/${i}.xpi` })) });
  for (const [i, name, version] of [['uBlock0@raymondhill.net', 'uBlock Origin', '1.66.4'], [id, 'ChatGPTBox', '2.5.9'], [off, 'Claude', '1.0.0']]) file(`${at}/${i}.xpi`, zip([['manifest.json', JSON.stringify({ manifest_version: 2, name, version })]]));
  found('browser-extension', id, '2.5.9', `${at}/${id}.xpi`, { via: 'firefox', also: [`${ff}/${profile}/extensions.json`] }); decoy('Firefox add-on with the name of the tool and another id (synthetic id)', `${at}/${off}.xpi`); }

// ---- Homebrew -----------------------------------------------------------------------------------------------------
const brew = MAC ? 'homebrew' : '.linuxbrew';
for (const [name, version, ai] of [['git', '2.51.1'], ['jq', '1.8.1'], ['ripgrep', '15.1.0'], ['fd', '10.3.0'], ['wget', '1.25.0'], ['openssl@3', '3.6.0'], ['python@3.13', '3.13.9'], ['node', '25.0.0'], ['go', '1.25.3'], ['tmux', '3.5a'], ['sqlite', '3.50.4'], ['gh', '2.82.1'], ['ollama', '0.12.6', 1], ['llama.cpp', '6830', 1], ['gemini-cli', '0.61.0', 1], ['aider', '0.86.1', 1], ['opencode', '1.18.33', 1]]) {
  const keg = `${brew}/Cellar/${name}/${version}`, cmd = { ripgrep: 'rg', 'openssl@3': 'openssl', 'python@3.13': 'python3.13', 'llama.cpp': 'llama-server', 'gemini-cli': 'gemini', sqlite: 'sqlite3' }[name] ?? name;
  json(`${keg}/INSTALL_RECEIPT.json`, { homebrew_version: '4.6.18', used_options: [], built_as_bottle: true, poured_from_bottle: true, loaded_from_api: true, installed_as_dependency: false, installed_on_request: true, time: 1760000000, source_modified_time: 1759000000, compiler: MAC ? 'clang' : 'gcc', runtime_dependencies: [], source: { spec: 'stable', versions: { stable: version }, tap: 'homebrew/core' }, arch: MAC ? 'arm64' : 'x86_64' });
  file(`${keg}/.brew/${name}.rb`, `# formula ${name}\n`);
  const inner = { 'gemini-cli': NPM_AI[2], opencode: NPM_AI[3] }[name]; // what the formula wraps: the keg is the install
  if (inner) { const at = `${keg}/libexec/lib/node_modules/${inner[0]}`; npmPackage(at, inner[0], version, { bin: inner[2] }); linkTo(`${keg}/bin/${cmd}`, `${at}/${inner[2][cmd]}`); decoy('npm package inside the keg of a formula already reported: one install', at); }
  else if (name === 'aider') { script(`${keg}/bin/aider`, `#!${DEST}/${keg}/libexec/bin/python\nimport sys\n`); decoy('Python package inside the keg of a formula already reported: one install', dist(`${keg}/libexec/lib/python3.12/site-packages`, 'aider-chat', version)); }
  else binary(`${keg}/bin/${cmd}`);
  linkTo(`${brew}/bin/${cmd}`, `${keg}/bin/${cmd}`); linkTo(`${brew}/opt/${name}`, keg);
  for (let i = 0; i < n(int(10, 500)); i++) filler(`${keg}/${pick(['share/man/man1', 'share/doc', 'lib', 'include', 'libexec'])}/f${i}`);
  if (ai) found('homebrew', name, version, keg, { via: 'formula' });
}
const cask = (token, version, artifact, files) => { // artifact: [stanza, name]
  const meta = `${brew}/Caskroom/${token}/.metadata`, at = `${brew}/Caskroom/${token}/${version}`;
  json(`${meta}/${version}/20261001120000.000/Casks/${token}.json`, { token, full_token: token, tap: 'homebrew/cask', name: [token], version, artifacts: [{ [artifact[0]]: [artifact[1]] }] });
  json(`${meta}/config.json`, { default: {}, env: {}, explicit: MAC ? { appdir: `${DEST}/Applications` } : {} });
  json(`${meta}/INSTALL_RECEIPT.json`, { homebrew_version: '4.6.18', loaded_from_api: true, uninstall_flight_blocks: false, installed_as_dependency: false, installed_on_request: true, time: 1760000000, runtime_dependencies: {}, source: { path: null, tap: 'homebrew/cask', version }, arch: MAC ? 'arm64' : 'x86_64', uninstall_artifacts: [{ [artifact[0]]: [artifact[1]] }] });
  dir(at); files?.(at); return `${brew}/Caskroom/${token}`;
};
const launch = (cmd, name = cmd) => (at) => { binary(`${at}/${name}`); linkTo(`${brew}/bin/${cmd}`, `${at}/${name}`); };
found('homebrew', 'claude-code', '2.1.120', cask('claude-code', '2.1.120', ['binary', 'claude'], launch('claude')), { via: 'cask' });
{ const name = `codex-${MAC ? 'aarch64-apple-darwin' : 'x86_64-unknown-linux-musl'}`; found('homebrew', 'codex', '0.141.0', cask('codex', '0.141.0', ['binary', name], launch('codex', name)), { via: 'cask' }); }
found('homebrew', 'copilot-cli', '1.0.90', cask('copilot-cli', '1.0.90', ['binary', 'copilot']), { via: 'cask', state: 'residual' }); // the program was deleted by hand, Homebrew was not told
cask('font-fira-code', '6.2', ['font', 'FiraCode-VF.ttf']);
const CASK_APP = { Cursor: ['cursor', '24a12dbd9cabf48956ce5bb3dbd234e41385b3df'], Claude: ['claude', '22fd1c1312a1ddabf60cd82636bd3f35dd703406'], 'LM Studio': ['lm-studio'], Ollama: ['ollama-app'] }; // app: token, what its cask adds to the version

// ---- stand-alone executables and applications -----------------------------------------------------------------------
for (const c of ['deno', 'just', 'k9s', 'kubectl', 'terraform', 'hugo']) binary(`.local/bin/${c}`);
// the native installer's files are named by the version only; the real links are absolute, which would tie the tree to DEST
for (const v of ['2.1.91', '2.1.120']) { binary(`.local/share/claude/versions/${v}`); found('executable', 'claude', v, `.local/share/claude/versions/${v}`, { tool: 'claude-code', ...(v === '2.1.120' ? { also: ['.local/bin/claude'] } : { launcher: false }) }); }
link('.local/bin/claude', '../share/claude/versions/2.1.120');
file('.local/share/claude/versions/2.1.119', '', 0o755); decoy('empty file where a version was being downloaded', '.local/share/claude/versions/2.1.119', { mayBe: 'residual' });
{ const v = '2025.10.22-f894c20', at = `.local/share/cursor-agent/versions/${v}`; script(`${at}/cursor-agent`, '#!/usr/bin/env bash\nexec "$(dirname "$(readlink -f "$0")")/node" "$(dirname "$(readlink -f "$0")")/index.js" "$@"\n'); binary(`${at}/node`); filler(`${at}/index.js`);
  for (const c of ['cursor-agent', 'agent']) linkTo(`.local/bin/${c}`, `${at}/cursor-agent`);
  found('executable', 'cursor-agent', v, `${at}/cursor-agent`, { also: ['.local/bin/cursor-agent', '.local/bin/agent'] }); }
const goMod = (mod, v) => `\0path\t${mod}\nmod\t${mod}\t${v}\t\nbuild\t-compiler=gc\n\0`; // as in a Go program's build information
for (const [c, marker] of [['goose', '\0crates/goose-cli/src/main.rs\0https://block.github.io/goose/\0'], ['ollama', goMod('github.com/ollama/ollama', '(devel)')], ['crush', goMod('github.com/charmbracelet/crush', '(devel)')]]) { binary(`.local/bin/${c}`, marker); found('executable', c, null, `.local/bin/${c}`); }
binary('go/bin/goose', goMod('github.com/pressly/goose/v3', 'v3.26.0')); decoy('the SQL migration tool of the same name', 'go/bin/goose');
binary('.local/bin/copilot', goMod('github.com/aws/copilot-cli', 'v1.34.1')); decoy('the AWS Copilot CLI, same executable name', '.local/bin/copilot');
script('bin/agent', '#!/bin/sh\nexec ssh-agent "$@"\n'); decoy('an in-house script with a generic launcher name', 'bin/agent');
link('.local/bin/codex', '../share/removed-long-ago/codex'); decoy('dangling launcher', '.local/bin/codex', { mayBe: 'residual' });
script('.local/bin/gpt-notes', '#!/bin/sh\ncat ~/notes/gpt.md\n'); decoy('a personal script with an AI-like name', '.local/bin/gpt-notes');
file('.local/bin/claude.txt', 'remember: ask about claude\n'); decoy('a text file called like the tool on PATH', '.local/bin/claude.txt');
json('.claude/settings.json', {}); decoy('state folder of a tool that is installed elsewhere: no install of its own', '.claude', { mayBe: 'residual' });
json('.openclaw/openclaw.json', { gateway: { mode: 'local' } }); decoy('state folder of a tool whose program is nowhere', '.openclaw', { mayBe: 'residual' });
file('.factory/AGENTS.md', '# notes\n'); decoy('state folder of a tool whose program is nowhere', '.factory', { mayBe: 'residual' });
file('code/notes/README.md', '# Notes\n\nTry `npm install -g @anthropic-ai/claude-code`, or aider, or Cursor.\n'); json('code/notes/package.json', { name: 'notes', version: '1.0.0', keywords: ['@openai/codex', 'gemini-cli'] });
decoy('a project that only mentions tools as text', 'code/notes');
if (MAC) {
  const bundle = (rel, name, id, version) => { file(`${rel}/Contents/Info.plist`, `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0">\n<dict>\n\t<key>CFBundleExecutable</key>\n\t<string>${name}</string>\n\t<key>CFBundleIdentifier</key>\n\t<string>${id}</string>\n\t<key>CFBundleName</key>\n\t<string>${name}</string>\n\t<key>CFBundlePackageType</key>\n\t<string>APPL</string>\n\t<key>CFBundleShortVersionString</key>\n\t<string>${version}</string>\n</dict>\n</plist>\n`); binary(`${rel}/Contents/MacOS/${name}`); };
  for (const [app, id, version] of [['Cursor', 'com.todesktop.230313mzl4w4u92', '3.12.10'], ['Claude', 'com.anthropic.claudefordesktop', '1.17282.0'], ['ChatGPT', 'com.openai.chat', '1.2025.280'], ['LM Studio', 'ai.elementlabs.lmstudio', '0.3.30'], ['Ollama', 'com.electron.ollama', '0.12.6'], ['Windsurf', 'com.exafunction.windsurf', '1.12.20']]) {
    const rel = `Applications/${app}.app`, [token, suffix] = CASK_APP[app] ?? [], shared = token ? { install: rel } : {};
    bundle(rel, app, id, version); for (let i = 0; i < n(300); i++) filler(`${rel}/Contents/${pick(['Resources', 'Frameworks/Electron Framework.framework/Resources', 'Resources/app/out'])}/f${i}`);
    found('application', id, version, rel, shared);
    if (token) { const v = suffix ? `${version},${suffix}` : version; found('homebrew', token, v, cask(token, v, ['app', `${app}.app`], (at) => linkTo(`${at}/${app}.app`, rel)), { tool: TOOL[id], via: 'cask', ...shared }); }
  }
  bundle(`${share}/Claude/claude-code/2.1.119/claude.app`, 'claude', 'com.anthropic.claude-code', '2.1.119'); found('executable', 'claude', '2.1.119', `${share}/Claude/claude-code/2.1.119/claude.app`, { tool: 'claude-code', state: 'bundled' }); // Claude Desktop's own copy
  bundle('Applications/Tools/Cursor.app', 'Cursor', 'com.example.mouse-pointer', '2.0'); decoy("another vendor's app with the same display name (synthetic id)", 'Applications/Tools/Cursor.app');
  decoy('cask of a disk cleaner that shares its name with a model', cask('gemini', '2.9.11', ['app', 'Gemini 2.app']));
} else {
  for (const [name, exec, title] of [['cursor', 'Cursor-1.7.54-x86_64.AppImage', 'Cursor'], ['lm-studio', 'LM-Studio-0.3.30-4-x64.AppImage', 'LM Studio']]) {
    binary(`Applications/${exec}`); file(`.local/share/applications/${name}.desktop`, `[Desktop Entry]\nType=Application\nName=${title}\nExec=${DEST}/Applications/${exec} --no-sandbox %U\nCategories=Development;\n`);
    found('application', name, /(\d+\.\d+\.\d+)/.exec(exec)[1], `Applications/${exec}`, { also: [`.local/share/applications/${name}.desktop`] });
  }
  file('.local/share/applications/cursor-theme.desktop', '[Desktop Entry]\nType=Application\nName=Cursor\nExec=/usr/bin/pointer-theme-settings\nCategories=Settings;\n'); decoy('menu entry of a mouse pointer setting called Cursor', '.local/share/applications/cursor-theme.desktop');
}

// ---- MCP server configuration ---------------------------------------------------------------------------------------
const npx = (pkg, ...args) => ({ command: 'npx', args: ['-y', pkg, ...args] });
const desktop = MAC ? 'Library/Application Support/Claude' : '.config/Claude', code = MAC ? 'Library/Application Support/Code/User' : '.config/Code/User';
const server = (host, name, rel, extra) => found('mcp', name, null, rel, { host, ...extra });
const mcp = (host, rel, key, servers, rest = {}, extra = {}) => { json(rel, { ...rest, [key]: servers }); for (const [s, { disabled }] of Object.entries(servers)) server(host, s, rel, disabled ? { ...extra, state: 'disabled' } : extra); };
mcp('claude-code', '.claude.json', 'mcpServers', { github: { type: 'http', url: 'https://api.githubcopilot.com/mcp/' }, filesystem: npx('@modelcontextprotocol/server-filesystem', '.') }, { numStartups: 42, projects: { [`${DEST}/code/project-0`]: { allowedTools: [], mcpServers: { sentry: { type: 'http', url: 'https://mcp.sentry.dev/mcp' } } } } });
server('claude-code', 'sentry', '.claude.json', { scope: 'project' });
mcp('cursor', '.cursor/mcp.json', 'mcpServers', { playwright: npx('@playwright/mcp@latest') });
mcp('windsurf', '.codeium/windsurf/mcp_config.json', 'mcpServers', { figma: { serverUrl: 'https://mcp.figma.com/mcp' } });
mcp('claude-desktop', `${desktop}/claude_desktop_config.json`, 'mcpServers', { memory: npx('@modelcontextprotocol/server-memory'), fetch: { command: 'uvx', args: ['mcp-server-fetch'] } });
mcp('gemini-cli', '.gemini/settings.json', 'mcpServers', { context7: { httpUrl: 'https://mcp.context7.com/mcp' } });
mcp('vscode-copilot', `${code}/mcp.json`, 'servers', { 'sequential-thinking': { type: 'stdio', ...npx('@modelcontextprotocol/server-sequential-thinking') } });
mcp('cline', `${code}/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json`, 'mcpServers', { git: { command: 'uvx', args: ['mcp-server-git'], disabled: false }, time: { command: 'uvx', args: ['mcp-server-time'], disabled: true } });
file('.codex/config.toml', 'model = "gpt-5-codex"\n\n[mcp_servers.context7]\ncommand = "npx"\nargs = ["-y", "@upstash/context7-mcp"]\n'); server('codex', 'context7', '.codex/config.toml');
file('.continue/config.yaml', 'name: Local Agent\nversion: 1.0.0\nschema: v1\nmcpServers:\n  - name: SQLite\n    command: uvx\n    args:\n      - mcp-server-sqlite\n'); server('continue', 'SQLite', '.continue/config.yaml');
file('.config/goose/config.yaml', 'GOOSE_PROVIDER: ollama\nextensions:\n  fetch:\n    type: stdio\n    name: fetch\n    enabled: true\n    cmd: uvx\n    args:\n      - mcp-server-fetch\n    timeout: 300\n'); server('goose', 'fetch', '.config/goose/config.yaml');

// ---- projects -------------------------------------------------------------------------------------------------------
const gitObjects = (rel) => { file(`${rel}/.git/HEAD`, 'ref: refs/heads/main\n'); file(`${rel}/.git/config`, '[core]\n\trepositoryformatversion = 0\n'); for (let i = 0; i < n(400); i++) { const h = hex(40); filler(`${rel}/.git/objects/${h.slice(0, 2)}/${h.slice(2)}`); } };
for (let i = 0; i < PROJECTS; i++) {
  const rel = `code/project-${i}`;
  for (let f = 0; f < n(80); f++) filler(`${rel}/${pick(['src', 'src/lib', 'src/components', 'test', 'docs'])}/f${f}.ts`);
  npmProject(rel, i, i % 12 === 2 ? [NPM_AI[0]] : i % 12 === 3 ? [['@types/claude-code', '0.0.1']] : []); gitObjects(rel);
  if (i % 5 === 0) { const site = venv(`${rel}/.venv`); for (const d of PYPI.filter(() => rnd() < 0.7)) dist(site, d, ver()); if (i % 10 === 0) { file(`${rel}/pyproject.toml`, `[project]\nname = "project-${i}"\nversion = "0.1.0"\n`); found('pypi', 'openai', '2.6.0', dist(site, 'openai', '2.6.0', { cmd: 'openai', bin: `${rel}/.venv/bin` }), { via: 'venv', scope: 'project' }); } }
  if (i % 15 === 0) mcp('claude-code', `${rel}/.mcp.json`, 'mcpServers', { [`db-${i}`]: npx('@modelcontextprotocol/server-postgres', 'postgresql://localhost/db') }, {}, { scope: 'project' });
  if (i % 15 === 1) mcp('vscode-copilot', `${rel}/.vscode/mcp.json`, 'servers', { [`docs-${i}`]: { type: 'http', url: 'https://mcp.context7.com/mcp' } }, {}, { scope: 'project' });
  if (i % 12 === 2) { const [name, version] = NPM_AI[0], p = `${rel}/node_modules/${name}`; found('npm', name, version, p, { via: i % 5 === 4 ? 'pnpm' : 'npm', scope: 'project', ...(i % 5 === 4 ? { target: `${rel}/node_modules/.pnpm/${name.replace('/', '+')}@${version}/node_modules/${name}` } : {}) }); }
  if (i % 12 === 3) decoy('another package whose name only resembles an AI tool (synthetic name)', `${rel}/node_modules/@types/claude-code`);
}

// ---- caches and stores: the bulk of a home that holds nothing to find ------------------------------------------------
const bulk = (count, at) => { for (let i = 0; i < n(count); i++) { const h = hex(64); filler(at(h)); } };
bulk(40000, (h) => `${pnpmHome}/store/v10/files/${h.slice(0, 2)}/${h.slice(2)}`);
bulk(22000, (h) => `.npm/_cacache/content-v2/sha512/${h.slice(0, 2)}/${h.slice(2, 4)}/${h.slice(4)}`);
bulk(12000, (h) => `${MAC ? 'Library/Caches/pip' : '.cache/pip'}/http-v2/${h[0]}/${h[1]}/${h[2]}/${h.slice(3, 20)}`);
bulk(16000, (h) => `.cache/uv/archive-v0/${h.slice(0, 2)}/pkg/${h.slice(2, 20)}.py`);
bulk(16000, (h) => `.cargo/registry/src/registry.example.org-1949cf8c6b5b557f/crate-${h.slice(0, 2)}-1.0.0/src/${h.slice(2, 12)}.rs`);
bulk(14000, (h) => `go/pkg/mod/github.com/mod${h.slice(0, 2)}@v1.0.0/${h.slice(2, 12)}.go`);
bulk(6000, (h) => `${MAC ? 'Library/Caches' : '.cache'}/JetBrains/IntelliJIdea2025.2/caches/${h.slice(0, 2)}/${h.slice(2, 20)}`);

fs.writeFileSync(`${DEST}.truth.json`, JSON.stringify({ seed: Number(opt.seed), projects: PROJECTS, scale: SCALE, os: opt.os, stats, ...truth }, null, 1) + '\n');
console.log(JSON.stringify({ ...stats, findings: truth.findings.length, decoys: truth.decoys.length }));
