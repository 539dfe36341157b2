import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Part } from '../launch.ts';
import type { Testbed } from '../testbed.ts';

export type Prometheus = Part & {
  url: string;
  /** Asks one more proxy from now on, by its admin address; what it says bears the label `proxy`. */
  watch(proxy: string, admin: string): Promise<void>;
};

/** Prometheus over what the proxies count, asked every second. */
export async function startPrometheus(bed: Testbed): Promise<Prometheus> {
  const port = await bed.port();
  const dir = join(bed.dir, 'prometheus');
  await mkdir(dir);
  const targets = join(dir, 'targets.json');
  const watched: { targets: string[]; labels: { proxy: string } }[] = [];
  // Looked at again soon: where the news of a change gets lost, it would be five minutes by itself.
  const discovery = { files: [targets], refresh_interval: '2s' };
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '900ms' },
    scrape_configs: [{ job_name: 'envoy', metrics_path: '/stats/prometheus', file_sd_configs: [discovery] }],
  };
  const file = join(dir, 'prometheus.yml');
  await Promise.all([writeFile(file, JSON.stringify(config)), writeFile(targets, '[]')]);
  const url = `http://127.0.0.1:${port}`;
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    '--storage.tsdb.retention.time=6h',
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const ready = async () => (await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(1_000) })).ok;
  const watch = async (proxy: string, admin: string) => {
    watched.push({ targets: [new URL(admin).host], labels: { proxy } });
    const unfinished = `${targets}.${watched.length}`;
    await writeFile(unfinished, JSON.stringify(watched));
    await rename(unfinished, targets);
  };
  return { ...(await bed.launch('prometheus', 'prometheus', args, { ready })), url, watch };
}
