/** A program of the bed that is compiled from Go modules; its `go.mod` and `go.sum` are in `programs/NAME`. */
export type Program = {
  title: string;
  /** What the compile takes cold on two cores, for people who wait. */
  takes: string;
  /** The package, where it is not the folder's own `main.go`. */
  package?: string;
  /** Other names that the compiled file stands under: it acts as the one it is called by. */
  names?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Packages of further programs beside it, each called as its last part is. */
  beside?: readonly string[];
  /** The module that bears the version, and the variables that it is stamped into. */
  stamp?: { module: string; as: readonly ('gitVersion' | 'gitMajor' | 'gitMinor')[]; at: string };
};

const kubernetes: Program = {
  title: 'Kubernetes',
  takes: '6 to 10 minutes',
  names: ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kubectl'],
  stamp: {
    module: 'k8s.io/kubernetes',
    as: ['gitVersion', 'gitMajor', 'gitMinor'],
    at: 'k8s.io/component-base/version',
  },
};

/** All that the test bed compiles. What only some tests need is compiled when the first of them asks. */
export const programs = {
  kubernetes,
  istiod: { title: 'istiod', takes: '6 minutes', package: 'istio.io/istio/pilot/cmd/pilot-discovery' },
  rollouts: {
    title: 'Argo Rollouts',
    takes: '3 minutes',
    package: 'github.com/argoproj/argo-rollouts/cmd/rollouts-controller',
  },
  buildx: { title: 'docker buildx', takes: '2 minutes', package: 'github.com/docker/buildx/cmd/buildx' },
  buildkitd: {
    title: 'BuildKit',
    takes: '3 minutes',
    package: 'github.com/moby/buildkit/cmd/buildkitd',
    beside: ['github.com/moby/buildkit/cmd/buildctl'],
  },
  trivy: {
    title: 'Trivy',
    takes: '2 minutes',
    package: 'github.com/aquasecurity/trivy/cmd/trivy',
    env: { GOEXPERIMENT: 'jsonv2' },
  },
  cosign: { title: 'cosign', takes: '3 minutes', package: 'github.com/sigstore/cosign/v2/cmd/cosign' },
  web: { title: 'the example app', takes: '10 seconds' },
  registry: { title: 'a registry with referrers', takes: '20 seconds' },
  readers: { title: 'other programs’ readers', takes: '10 seconds' },
  'trivy-db': { title: 'a writer of vulnerability databases', takes: '10 seconds' },
} satisfies Record<string, Program>;
export type ProgramName = keyof typeof programs;
export const programNames = Object.keys(programs).filter((name): name is ProgramName => name in programs);
