package dev.caisson.containerfile.workload;

import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.compose.ComposeProject;
import dev.caisson.containerfile.compose.ComposeService;
import dev.caisson.containerfile.workload.Workload.Namespace;
import dev.caisson.containerfile.workload.Workload.NamespaceUse;
import dev.caisson.containerfile.yaml.Scalars;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds the namespaces that a service shares: with the host, or with another service and whoever that one shares them
/// with.
final class ComposeNamespaces {
    private static final Map<Namespace, String> KEYS = keys();

    private ComposeNamespaces() {}

    static List<NamespaceUse> of(ComposeProject project, ComposeService service) {
        List<NamespaceUse> uses = new ArrayList<>();
        KEYS.forEach((namespace, key) -> use(project, service, namespace, key).ifPresent(uses::add));
        return List.copyOf(uses);
    }

    private static Optional<NamespaceUse> use(
            ComposeProject project, ComposeService service, Namespace namespace, String key) {
        Optional<Setting<String>> mode = mode(service.body(), key);
        if (mode.isEmpty()) {
            return Optional.empty();
        }
        List<String> with = new ArrayList<>();
        String current = mode.get().value();
        while (current.startsWith("service:")
                && with.size() <= project.services().size()) {
            String other = current.substring("service:".length());
            with.add("service " + other);
            ComposeService joined = project.services().get(other);
            current = joined == null
                    ? ""
                    : mode(joined.body(), key).map(Setting::value).orElse("");
        }
        if (current.startsWith("container:")) {
            with.add("container " + current.substring("container:".length()));
        }
        boolean host = current.equals("host");
        return host || !with.isEmpty()
                ? Optional.of(new NamespaceUse(
                        namespace, host, List.copyOf(with), mode.get().place()))
                : Optional.empty();
    }

    /// A service on the network that is called `host` is on the host's network too.
    private static Optional<Setting<String>> mode(YamlMap body, String key) {
        Optional<Setting<String>> mode = Scalars.text(body, key);
        if (mode.isEmpty() && key.equals("network_mode")) {
            return body.map("networks")
                    .flatMap(networks -> networks.entry("host"))
                    .map(entry -> new Setting<>("host", entry.place()));
        }
        return mode;
    }

    private static Map<Namespace, String> keys() {
        Map<Namespace, String> keys = new LinkedHashMap<>();
        keys.put(Namespace.NETWORK, "network_mode");
        keys.put(Namespace.PID, "pid");
        keys.put(Namespace.IPC, "ipc");
        keys.put(Namespace.UTS, "uts");
        keys.put(Namespace.USER, "userns_mode");
        keys.put(Namespace.CGROUP, "cgroup");
        return keys;
    }
}
