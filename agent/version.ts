/**
 * The agent's version, as it is reported and as `curfew version` prints it: that of package.json, put
 * in when the agent is built. Nothing is decided by it.
 */
import manifest from '../package.json' with { type: 'json' };

export const agentVersion: string = manifest.version;
