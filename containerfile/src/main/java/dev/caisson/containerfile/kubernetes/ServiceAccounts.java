package dev.caisson.containerfile.kubernetes;

import dev.caisson.containerfile.Source;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Service accounts that mount no token unless a pod asks for it.
public record ServiceAccounts(Set<String> withoutToken) {
    public static final ServiceAccounts NONE = new ServiceAccounts(Set.of());

    public ServiceAccounts {
        withoutToken = Set.copyOf(withoutToken);
    }

    /// The service accounts of a manifest.
    /// @throws dev.caisson.containerfile.ContainerFileException for text that is no YAML
    public static ServiceAccounts of(Source manifest) {
        return of(KubernetesManifest.objects(manifest));
    }

    static ServiceAccounts of(List<KubernetesObject> objects) {
        Set<String> found = new HashSet<>();
        for (KubernetesObject object : objects) {
            boolean off = object.kind().equals("ServiceAccount")
                    && KubernetesManifest.text(object.body(), "automountServiceAccountToken")
                            .equals("false");
            if (off) {
                found.add(key(object.namespace(), object.name()));
            }
        }
        return new ServiceAccounts(found);
    }

    public ServiceAccounts and(ServiceAccounts others) {
        Set<String> all = new HashSet<>(withoutToken);
        all.addAll(others.withoutToken);
        return new ServiceAccounts(all);
    }

    /// @param name of the pod's service account; empty for the namespace's own
    boolean mountsNoToken(String namespace, String name) {
        return withoutToken.contains(key(namespace, name.isEmpty() ? "default" : name));
    }

    private static String key(String namespace, String name) {
        return (namespace.isEmpty() ? "default" : namespace) + "/" + name;
    }
}
