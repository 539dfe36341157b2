/** Namespaces where the cluster itself lives, or what keeps it going: no pattern makes an environment of one, and none is deleted. */
const system = /^(default|kube-.*|openshift-.*|.*-system)$/;

export const isSystemNamespace = (namespace: string): boolean => system.test(namespace);
