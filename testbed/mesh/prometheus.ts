import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Part } from '../launch.ts';
import type { Testbed } from '../testbed.ts';

/** Prometheus over what the proxies count, asked every second. */
export async function startPrometheus(bed: Testbed, targets: readonly string[]): Promise<Part & { url: string }> {
  const port = await bed.port();
  const dir = join(bed.dir, 'prometheus');
  await mkdir(dir);
  const hosts = targets.map((url) => new URL(url).host);
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '900ms' },
    scrape_configs: [{ job_name: 'envoy', metrics_path: '/stats/prometheus', static_configs: [{ targets: hosts }] }],
  };
  const file = join(dir, 'prometheus.yml');
  await writeFile(file, JSON.stringify(config));
  const url = `http://127.0.0.1:${port}`;
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const ready = async () => (await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(1_000) })).ok;
  return { ...(await bed.launch('prometheus', 'prometheus', args, { ready })), url };
}
