import { request } from 'undici';

/** Which kinds of configuration an Envoy has refused since it started, such as `listener_manager.lds.update_rejected`. */
export async function envoyRefusals(admin: string): Promise<string[]> {
  const { body } = await request(`${admin}/stats?filter=update_rejected$`);
  const lines = (await body.text()).split('\n').filter((line) => line !== '' && !line.endsWith(': 0'));
  return lines.map((line) => line.slice(0, line.lastIndexOf(': ')));
}
