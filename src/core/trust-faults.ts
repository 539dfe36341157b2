import type { FaultEntry } from './fault-catalogue.ts';

/** The part of the fault catalogue about what is in an image, and who vouches for it. */
export const trustFaults = {
  IMAGE_AMBIGUOUS: {
    status: 422,
    retry: 'never',
    say: '{image} can be read in two ways: {problem}.',
    hint: 'Nothing was changed. No builder makes such an image: find out who pushed it, build it anew, and push it again.',
  },
  IMAGE_UNPROVEN: {
    status: 422,
    retry: 'never',
    say: '{image} has no {proof} that {env} could trust.',
    hint: 'Nothing was changed. {way}',
  },
  IMAGE_FOREIGN_KEY: {
    status: 422,
    retry: 'never',
    say: 'The {proof} of {image} is by a key that {env} does not trust.',
    hint: 'Nothing was changed. Trusted are {keys} (verify.keys in shipmate.yaml). {way}',
  },
  IMAGE_OTHER_DIGEST: {
    status: 422,
    retry: 'never',
    say: 'The {proof} beside {image} is by a trusted key, but for another image: {about}.',
    hint: 'Nothing was changed. Somebody moved it there: find out who writes to the registry. {way}',
  },
  IMAGE_ALTERED: {
    status: 422,
    retry: 'never',
    say: 'The {proof} of {image} was altered after it was signed.',
    hint: 'Nothing was changed. Find out who writes to the registry. {way}',
  },
  SCAN_BLOCKED: {
    status: 422,
    retry: 'never',
    say: '{env} does not take {image}: {findings}.',
    hint: 'Nothing was changed. {mend}What must be lived with for a while is allowed under images.allow in shipmate.yaml: id: {id}, with a reason and a last day (until).{lapsed}',
  },
  SCAN_MISSING: {
    status: 422,
    retry: 'never',
    say: '{env} takes no image that was not scanned{age}, and {image} was not.',
    hint: 'Nothing was changed. Scan it first: /ship scan {name}',
  },
  SCANNER_MISSING: {
    status: 503,
    retry: 'never',
    say: 'Trivy can’t be started ({problem}), so {image} was not scanned.',
    hint: 'Install Trivy where the worker runs, or say where it is: TRIVY_PATH.',
  },
  SCAN_DATABASE: {
    status: 503,
    retry: 'never',
    say: 'Trivy’s vulnerability database {problem}, so nothing can be said of {image}.',
    hint: 'Fetch it (trivy image --download-db-only), and see to it that TRIVY_CACHE_DIR names its folder.',
  },
  SCAN_FAILED: {
    status: 502,
    retry: 'never',
    say: 'The scan of {image} failed: {problem}.',
    hint: 'Nothing is known of the image. Mend the cause, and scan it again.',
  },
  SCAN_TIMED_OUT: {
    status: 504,
    retry: 'never',
    say: 'The scan of {image} was not over after {minutes} minutes, and was ended.',
    hint: 'Nothing is known of the image. Scan it again, or give it longer: images.scanMinutes in shipmate.yaml.',
  },
  NO_SIGNING_KEY: {
    status: 422,
    retry: 'never',
    say: 'This Shipmate has no key to sign with.',
    hint: 'Make one (cosign generate-key-pair) and set COSIGN_KEY and COSIGN_PASSWORD; .env.example says how.',
  },
  KEY_UNUSABLE: {
    status: 500,
    retry: 'never',
    say: 'The key {name} can’t be used: {problem}.',
    hint: 'Nothing was changed. Mend it, and ask again.',
  },
  ATTACHMENT_REFUSED: {
    status: 502,
    retry: 'never',
    say: 'The registry {registry} did not keep what belongs beside {image}: {problem}.',
    hint: 'Check that Shipmate may push to that repository (REGISTRY_USERNAME), then ask again.',
  },
} as const satisfies Record<string, FaultEntry>;
