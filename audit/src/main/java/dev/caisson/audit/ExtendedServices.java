package dev.caisson.audit;

import dev.caisson.containerfile.compose.ComposeProject;
import dev.caisson.containerfile.compose.ComposeService;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Knows which services extend which, so that what is appended to a list of one does not come a second time into the
/// list of another that inherits it: compose refuses a list with an item twice.
final class ExtendedServices {
    private static final int MAX_DEPTH = 32;

    private final List<ComposeProject> projects;
    private final Set<String> appended = new HashSet<>();

    /// @param wanted all fixes of one patch
    ExtendedServices(List<ComposeProject> projects, Collection<Fix> wanted) {
        this.projects = projects;
        for (Fix fix : wanted) {
            if (fix instanceof Fix.OfYaml changes) {
                changes.changes().forEach(targeted -> appended.add(key(targeted.target(), targeted.change())));
            }
        }
    }

    /// Returns true if a service that this one extends gets the same item in the same patch.
    boolean inherits(Fix.Targeted targeted) {
        if (!(targeted.change() instanceof YamlChange.Append)) {
            return false;
        }
        List<YamlMap> open = new ArrayList<>(base(targeted.target()));
        for (int depth = 0; depth < MAX_DEPTH && !open.isEmpty(); depth++) {
            if (open.stream().anyMatch(map -> appended.contains(key(map, targeted.change())))) {
                return true;
            }
            open = open.stream().flatMap(map -> base(map).stream()).toList();
        }
        return false;
    }

    private static String key(YamlMap map, YamlChange change) {
        return change instanceof YamlChange.Append append
                ? map.place() + " " + append.path() + " " + append.item()
                : "";
    }

    /// The mappings of the service that a mapping extends.
    private List<YamlMap> base(YamlMap service) {
        Optional<YamlNode> extension = service.get("extends");
        if (extension.isEmpty()) {
            return List.of();
        }
        Path file = Path.of(service.place().file());
        String name = "";
        if (extension.get() instanceof YamlScalar scalar) {
            name = scalar.value();
        } else if (extension.get() instanceof YamlMap map) {
            name = map.scalar("service").map(YamlScalar::value).orElse("");
            file = map.scalar("file")
                    .map(YamlScalar::value)
                    .map(file::resolveSibling)
                    .orElse(file);
        }
        String wanted = file.normalize().toString();
        List<YamlMap> found = new ArrayList<>();
        for (ComposeProject project : projects) {
            ComposeService base = project.services().get(name);
            if (base != null) {
                base.definitions().stream()
                        .filter(map -> Path.of(map.place().file())
                                .normalize()
                                .toString()
                                .equals(wanted))
                        .forEach(found::add);
            }
        }
        return found;
    }
}
