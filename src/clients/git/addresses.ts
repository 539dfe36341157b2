/** Addresses come from people, and git takes more than addresses: options, programs to run, local paths. Only plain ones pass. */

const scp = /^(?:[a-z][\w.-]*@)?([a-z0-9][a-z0-9.-]*):(?!\/\/)([\w~][\w.~/-]*)$/i;

/** What is wrong with a repository's address; nothing where it is fine and its host is allowed. */
export function checkUrl(url: string, hosts: readonly string[]): string | undefined {
  if (url.startsWith('-')) return 'an address cannot begin with “-”';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\s\u0000-\u001f\u007f\\#?]/.test(url) || url.includes('::'))
    return 'there are characters in it that no address has';
  const [, host] = scp.exec(url) ?? [];
  if (host !== undefined) return hosts.includes(host) ? undefined : `the host ${host} is not allowed`;
  if (!URL.canParse(url)) return 'that is no address';
  const { protocol, host: named, username, password, pathname } = new URL(url);
  if (password !== '' || (username !== '' && protocol !== 'ssh:')) return 'it holds credentials; leave them out';
  if (username.startsWith('-') || named.startsWith('-') || pathname.startsWith('/-'))
    return 'a part of it begins with “-”';
  if (protocol === 'http:')
    return hosts.includes(`http://${named}`) ? undefined : `plain http to ${named} is not allowed`;
  if (protocol !== 'https:' && protocol !== 'ssh:') return `${protocol}// is not taken, only https and ssh`;
  return hosts.includes(named) ? undefined : `the host ${named} is not allowed`;
}

/** What is wrong with a branch, tag or commit. */
export function checkRef(ref: string): string | undefined {
  const fine =
    /^[A-Za-z0-9_][\w./-]{0,249}$/.test(ref) && !ref.includes('..') && !ref.endsWith('.lock') && !ref.includes('//');
  return fine ? undefined : `“${ref.slice(0, 60)}” is no branch, tag or commit`;
}
