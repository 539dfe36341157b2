import { parseArgs } from 'node:util';
import { startSandbox } from './start-sandbox.ts';

/** `npm run sandbox`: the whole thing on this machine, in a browser. See README.md. */
const { values } = parseArgs({
  options: { context: { type: 'string' }, registry: { type: 'string' }, 'docker-host': { type: 'string' } },
});

const began = Date.now();
const log = (line: string) => console.log(`${String(Math.round((Date.now() - began) / 1_000)).padStart(4)} s  ${line}`);

try {
  const sandbox = await startSandbox({
    log,
    context: values.context,
    registry: values.registry,
    dockerHost: values['docker-host'],
  });
  const stop = async () => {
    console.log('\nTaking everything down …');
    await sandbox.stop();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
  console.log(`
Open ${sandbox.url}

You are Ana, who asks; switch to Ben, who approves, or Gus, a guest, at the top of the page. Try:

  /deploy web:v2 production      then, as Ben, click Approve: a canary under live traffic. In the middle of it,
                                 press “Kill Shipmate (kill -9)” at the top of the page: it goes on
  /deploy web:flaky production   fails 7 % of its requests: rolled back by itself
  /deploy web:v3 staging         v3 is broken: see why, and roll back
  /ship status                   what runs where
  /build web v4                  ends with a button that deploys it
  /deploy orders:v2 production   a Deployment that nobody told Shipmate of; /ship apps shows it

Over REST, as Ana, all of docs/rest.md after this line:

  ${sandbox.exports}

An alert, with a button that rolls back:

  curl -X POST ${sandbox.shipmate.url}/webhooks/alertmanager -H 'Authorization: Bearer ${sandbox.alertToken}' \\
    -H 'Content-Type: application/json' -d '{"version":"4","groupKey":"demo","truncatedAlerts":0,"receiver":"shipmate","status":"firing","groupLabels":{},"commonLabels":{"alertname":"HighErrorRate","severity":"critical","app":"web","env":"production"},"commonAnnotations":{"summary":"5 % of requests fail"},"externalURL":"http://localhost","alerts":[{"status":"firing","labels":{"alertname":"HighErrorRate","app":"web","env":"production"},"annotations":{"summary":"5 % of requests fail"},"startsAt":"${new Date().toISOString()}","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://localhost","fingerprint":"demo"}]}'

The cluster: kubectl --kubeconfig ${sandbox.bed.kubernetes.kubeconfig} get pods -A   (kubectl is ${sandbox.bed.kubernetes.kubectlPath})
Ctrl-C takes everything down.
`);
} catch (problem) {
  console.error(problem instanceof Error ? problem.message : problem);
  process.exit(1);
}
