import { z } from 'zod';

/** An address or a block of them, IPv4 or IPv6. */
export const Address = z.union([z.ipv4(), z.ipv6()]);
export const Block = z
  .union([z.cidrv4(), z.cidrv6()])
  // zod takes `::/NaN` for a block.
  .refine((block) => /\/\d{1,3}$/.test(block), 'must end in its length, such as /8');

type Bits = { value: bigint; width: 32 | 128 };

const v4 = (text: string) => text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);

/** `::ffff:10.0.0.1` ends in an IPv4 address, which stands for two groups. */
function groupsOf(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [group];
    const value = v4(group);
    return [(value >> 16n).toString(16), (value & 0xffffn).toString(16)];
  });
}

function bitsOf(address: string): Bits | undefined {
  if (z.ipv4().safeParse(address).success) return { value: v4(address), width: 32 };
  if (!z.ipv6().safeParse(address).success) return undefined;
  const [head = '', tail] = address.split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const gap = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0');
  const value = [...before, ...gap, ...after].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
  return { value, width: 128 };
}

/** Whether a block such as `10.0.0.0/8` holds the address; false where either is none, or they are of different families. */
export function holds(block: string, address: string): boolean {
  const [base = '', length = ''] = block.split('/');
  const [from, one] = [bitsOf(base), bitsOf(address)];
  if (!from || !one || from.width !== one.width || !/^\d{1,3}$/.test(length)) return false;
  const shift = BigInt(from.width - Number(length));
  return shift >= 0n && from.value >> shift === one.value >> shift;
}
