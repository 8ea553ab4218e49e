#!/usr/bin/env node
/**
 * Where `curfew-server` begins: checks the Node that runs it before anything native is loaded (an
 * older one would end in a crash without a word), then hands over to the commands.
 */
const oldest = 22;
const running = Number(process.versions.node.split('.')[0]);

if (running < oldest) {
  process.stderr.write(
    `curfew-server: NODE_TOO_OLD: Node ${process.versions.node} cannot run this server; ${oldest} or newer is needed.\n` +
      '  In a checkout use `npm run curfew-server`, which brings its own.\n',
  );
  process.exitCode = 2;
} else {
  const { run } = await import('./cli.js');
  process.exitCode = await run(process.argv);
}
