package dev.caisson.audit;

import dev.caisson.containerfile.compose.ComposeProject;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// A file that, laid over a compose project, makes its findings go away. Lists are appended to as compose does it;
/// `!override` replaces one whole and `!reset` takes a setting away, both of the compose specification's merge rules.
final class ComposeOverride {
    /// The names under which compose finds a project by itself.
    static final List<String> BASES =
            List.of("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml");

    private static final String EXPLAINED = Proposal.MARK + """

            # For %s. Beside the project's file it is in force by its name; elsewhere
            # name it with -f.
            # "try it" marks what a program may notice: run its tests with it.
            """;

    /// The value of a key: text, a list, or a mapping; and the checks that ask for it.
    private static final class Slot {
        private final Set<String> reasons = new LinkedHashSet<>();
        private final Map<String, Slot> children = new LinkedHashMap<>();
        private final List<String> items = new ArrayList<>();
        private String text = "";
        private boolean replaced;
    }

    private final ComposeProject project;
    private final Map<String, Slot> services = new TreeMap<>();

    ComposeOverride(ComposeProject project) {
        this.project = project;
    }

    void add(Check check, Fix.OfYaml fix) {
        String service = fix.service().orElseThrow();
        Slot root = services.computeIfAbsent(service, name -> new Slot());
        for (Fix.Targeted targeted : fix.changes()) {
            YamlChange change = targeted.change();
            Slot first = root.children.computeIfAbsent(change.path().getFirst(), key -> new Slot());
            first.reasons.add(check.name() + (fix.safe() ? "" : ", try it"));
            Slot slot = first;
            for (String key : change.path().subList(1, change.path().size())) {
                slot = slot.children.computeIfAbsent(key, name -> new Slot());
            }
            switch (change) {
                case YamlChange.Put put -> slot.text = put.value();
                case YamlChange.Append append -> addItem(slot, append.item());
                case YamlChange.ReplaceItem replace -> {
                    replaceList(slot, service, replace.path());
                    int at = slot.items.indexOf(whole(service, replace.path(), replace.item()));
                    if (at >= 0) {
                        slot.items.set(at, replace.value());
                    }
                }
                case YamlChange.DropItem drop -> {
                    replaceList(slot, service, drop.path());
                    slot.items.remove(whole(service, drop.path(), drop.item()));
                }
                case YamlChange.Drop drop -> slot.text = "!reset null";
            }
        }
    }

    private static void addItem(Slot slot, String item) {
        if (!slot.items.contains(item)) {
            slot.items.add(item);
        }
    }

    /// The project's own list comes first; what was to be appended stays behind it.
    private void replaceList(Slot slot, String service, List<String> path) {
        if (!slot.replaced) {
            slot.replaced = true;
            List<String> own = list(service, path).stream().map(YamlText::flow).toList();
            slot.items.addAll(0, own);
        }
    }

    private String whole(String service, List<String> path, String text) {
        return list(service, path).stream()
                .filter(item -> item.place().text().equals(text))
                .map(YamlText::flow)
                .findFirst()
                .orElse(text);
    }

    private List<YamlNode> list(String service, List<String> path) {
        Optional<YamlMap> map =
                Optional.ofNullable(project.services().get(service)).map(found -> found.body());
        for (String key : path.subList(0, path.size() - 1)) {
            map = map.flatMap(found -> found.map(key));
        }
        return map.flatMap(found -> found.seq(path.getLast()))
                .map(YamlSeq::items)
                .orElse(List.of());
    }

    /// The file; empty if there is nothing to set.
    Optional<String> text() {
        if (services.isEmpty()) {
            return Optional.empty();
        }
        StringBuilder out = new StringBuilder(String.format(
                        Locale.ROOT,
                        EXPLAINED,
                        YamlText.quoted(project.files().getFirst().name())))
                .append("services:\n");
        services.forEach((name, slot) -> {
            out.append("  ").append(key(name)).append(":\n");
            slot.children.forEach((key, child) -> write(out, key, child, 4));
        });
        return Optional.of(out.toString());
    }

    private static void write(StringBuilder out, String key, Slot slot, int indent) {
        String margin = " ".repeat(indent);
        if (!slot.reasons.isEmpty()) {
            out.append(margin)
                    .append("# ")
                    .append(String.join("; ", slot.reasons))
                    .append('\n');
        }
        out.append(margin).append(key(key)).append(':');
        if (!slot.text.isEmpty()) {
            out.append(' ').append(slot.text).append('\n');
        } else if (slot.children.isEmpty()) {
            out.append(slot.replaced ? " !override" : "").append(slot.items.isEmpty() ? " []\n" : "\n");
            slot.items.forEach(
                    item -> out.append(margin).append("  - ").append(item).append('\n'));
        } else {
            out.append('\n');
            slot.children.forEach((name, child) -> write(out, name, child, indent + 2));
        }
    }

    private static String key(String name) {
        return name.matches("[A-Za-z_][A-Za-z0-9_.-]*") ? name : YamlText.quoted(name);
    }
}
