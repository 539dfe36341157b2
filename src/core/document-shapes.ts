import { struct } from './one-reading.ts';

/**
 * The fields that programs written in Go know of the documents that a registry keeps: OCI's and Docker's image formats, and
 * what signers put beside images. A field that is missing here may be hidden from Shipmate in another case.
 */

const platform = struct({
  architecture: 'any',
  os: 'any',
  'os.version': 'any',
  'os.features': 'any',
  variant: 'any',
  features: 'any',
});

/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
const descriptor = struct({
  mediaType: 'any',
  digest: 'any',
  size: 'whole',
  urls: 'any',
  annotations: 'map',
  data: 'any',
  platform,
  artifactType: 'any',
});

/** Manifests and indexes in one: which of them a document is shows only once it is read. Those of Docker's first form are none. */
export const manifestShape = struct({
  schemaVersion: 'whole',
  mediaType: 'any',
  artifactType: 'any',
  config: descriptor,
  layers: descriptor,
  manifests: descriptor,
  blobs: descriptor,
  subject: descriptor,
  annotations: 'map',
  fsLayers: 'any',
  signatures: 'any',
});

const healthcheck = struct({
  Test: 'any',
  Interval: 'any',
  Timeout: 'any',
  StartPeriod: 'any',
  StartInterval: 'any',
  Retries: 'any',
});

/** How a container of the image runs: https://github.com/moby/docker-image-spec */
const run = struct({
  User: 'any',
  ExposedPorts: 'map',
  Env: 'any',
  Entrypoint: 'any',
  Cmd: 'any',
  Volumes: 'map',
  WorkingDir: 'any',
  Labels: 'map',
  StopSignal: 'any',
  StopTimeout: 'any',
  ArgsEscaped: 'any',
  Healthcheck: healthcheck,
  OnBuild: 'any',
  Shell: 'any',
  Hostname: 'any',
  Domainname: 'any',
  Image: 'any',
  Memory: 'any',
  MemorySwap: 'any',
  CpuShares: 'any',
  AttachStdin: 'any',
  AttachStdout: 'any',
  AttachStderr: 'any',
  OpenStdin: 'any',
  StdinOnce: 'any',
  Tty: 'any',
  NetworkDisabled: 'any',
  MacAddress: 'any',
});

/** https://github.com/opencontainers/image-spec/blob/main/config.md, and what Docker has besides. */
export const imageConfigShape = struct({
  id: 'any',
  parent: 'any',
  comment: 'any',
  created: 'any',
  author: 'any',
  architecture: 'any',
  os: 'any',
  'os.version': 'any',
  'os.features': 'any',
  variant: 'any',
  config: run,
  rootfs: struct({ type: 'any', diff_ids: 'any' }),
  history: struct({ created: 'any', created_by: 'any', author: 'any', comment: 'any', empty_layer: 'any' }),
  container: 'any',
  container_config: run,
  docker_version: 'any',
  Size: 'any',
});

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export const statementShape = struct({
  _type: 'any',
  subject: struct({
    name: 'any',
    uri: 'any',
    digest: 'map',
    content: 'any',
    downloadLocation: 'any',
    mediaType: 'any',
    annotations: 'map',
  }),
  predicateType: 'any',
  predicate: 'any',
});

/** https://github.com/secure-systems-lab/dsse/blob/master/envelope.md */
export const envelopeShape = struct({
  payloadType: 'any',
  payload: 'any',
  signatures: struct({ keyid: 'any', sig: 'any' }),
});

/** https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto */
export const bundleShape = struct({
  mediaType: 'any',
  verificationMaterial: struct({
    publicKey: struct({ hint: 'any' }),
    x509CertificateChain: 'any',
    certificate: 'any',
    tlogEntries: 'any',
    timestampVerificationData: 'any',
  }),
  messageSignature: 'any',
  dsseEnvelope: envelopeShape,
});

/** https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md */
export const simpleSigningShape = struct({
  critical: struct({
    identity: struct({ 'docker-reference': 'any' }),
    image: struct({ 'docker-manifest-digest': 'any' }),
    type: 'any',
  }),
  optional: 'map',
});

/** The tags of a repository. */
export const tagsShape = struct({ name: 'any', tags: 'any' });
