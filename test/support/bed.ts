import { inject } from 'vitest';

/** Where the shared test bed's parts are; started once by test/global-setup.ts. */
export type BedAddress = {
  dir: string;
  redisUrl: string;
  registryHost: string;
  dockerHost: string;
  /** The administrator's. */
  kubeconfig: string;
  /** That of a service account which may do what deploy/k8s/cluster-role.yaml says, in namespaces of `makeNamespace`. */
  shipmateKubeconfig: string;
  /** The folder of the compiled Kubernetes programs. */
  kubectl: string;
  /** The program docker buildx. */
  buildx: string;
  /** Image with a static /bin/busybox in the bed's registry. */
  busybox: string;
};

declare module 'vitest' {
  interface ProvidedContext {
    bed: BedAddress;
  }
}

export const bed: BedAddress = inject('bed');
