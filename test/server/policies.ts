/** Policies in the YAML an admin would write, for the tests of the server. */

/** The ban of the first real case, with the effective date to be chosen. */
export const banPolicy = (effective: string): string => `policy: ai-coding-tools
title: AI coding tools on work devices
timezone: Asia/Shanghai
default: { decision: review }
rules:
  - id: qoder-approved
    match: { tool: [qoder, qoder-cli] }
    decision: approve
  - id: claude-code-ban
    match: { tool: claude-code }
    decision: deny
    severity: high
    announce: 2026-07-04
    effective: ${effective}
    before: notify
    after: block
    reason: { en: Back-door risk. }
    evidence: [https://example.com/notice]
    replacement: { tool: qoder, guide: https://example.com/migrate }
targets: { groups: [engineering], os: [darwin, win32, linux] }
`;
