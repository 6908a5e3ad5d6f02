package dev.caisson.audit;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.yaml.Yaml;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Changes a YAML file a setting at a time and leaves every other character as it is: comments, order, quotes, anchors.
/// After each change the text is read anew, so that changes may build on each other.
final class YamlEditor {
    /// A place in the structure of a file: its document, then keys and list positions.
    record Path(int document, List<Object> steps) {}

    private Source source;

    YamlEditor(Source source) {
        this.source = source;
    }

    Source source() {
        return source;
    }

    /// Finds a mapping of the unchanged file. An alias is at the place of its anchor.
    static Optional<Path> find(Source source, YamlMap target) {
        List<YamlNode> documents = Yaml.documents(source);
        for (int at = 0; at < documents.size(); at++) {
            List<Object> steps = new ArrayList<>();
            if (find(documents.get(at), target.place(), steps)) {
                return Optional.of(new Path(at, List.copyOf(steps)));
            }
        }
        return Optional.empty();
    }

    private static boolean find(YamlNode node, Place wanted, List<Object> steps) {
        if (!(node instanceof YamlScalar) && node.place().equals(wanted) && node instanceof YamlMap) {
            return true;
        }
        switch (node) {
            case YamlMap map -> {
                for (var entry : map.entries().entrySet()) {
                    steps.add(entry.getKey());
                    if (!entry.getValue().merged() && find(entry.getValue().value(), wanted, steps)) {
                        return true;
                    }
                    steps.removeLast();
                }
            }
            case YamlSeq seq -> {
                for (int at = 0; at < seq.items().size(); at++) {
                    steps.add(at);
                    if (find(seq.items().get(at), wanted, steps)) {
                        return true;
                    }
                    steps.removeLast();
                }
            }
            case YamlScalar scalar -> {
                // a mapping without entries is written as nothing: its key's place stands for it
            }
        }
        return false;
    }

    /// Makes a change below a mapping.
    /// @return whether the file says now what the change wants; where not, nothing was changed
    boolean apply(Path at, YamlChange change) {
        Source before = source;
        try {
            Optional<YamlMap> map = at(at);
            if (map.isEmpty()) {
                return false;
            }
            boolean done = switch (change) {
                case YamlChange.Put put -> put(map.get(), put.path(), put.value());
                case YamlChange.Append append -> append(map.get(), append.path(), append.item());
                case YamlChange.ReplaceItem replace ->
                    item(map.get(), replace.path(), replace.item())
                            .map(found -> replace(found.place(), replace.value()))
                            .orElse(false);
                case YamlChange.DropItem drop -> dropItem(map.get(), drop.path(), drop.item());
                case YamlChange.Drop drop -> drop(map.get(), drop.path());
            };
            if (done) {
                Yaml.documents(source);
            } else {
                source = before;
            }
            return done;
        } catch (ContainerFileException noLongerYaml) {
            source = before;
            return false;
        }
    }

    private Optional<YamlMap> at(Path path) {
        List<YamlNode> documents = Yaml.documents(source);
        YamlNode node = documents.get(path.document());
        for (Object step : path.steps()) {
            Optional<YamlNode> next = switch (node) {
                case YamlMap map -> map.entry(step.toString()).map(YamlEntry::value);
                case YamlSeq seq ->
                    step instanceof Integer index && index < seq.items().size()
                            ? Optional.of(seq.items().get(index))
                            : Optional.empty();
                case YamlScalar scalar -> Optional.empty();
            };
            if (next.isEmpty()) {
                return Optional.empty();
            }
            node = next.get();
        }
        return node instanceof YamlMap map ? Optional.of(map) : Optional.empty();
    }

    private boolean put(YamlMap map, List<String> path, String value) {
        String key = path.getFirst();
        List<String> rest = path.subList(1, path.size());
        Optional<YamlEntry> entry = map.entry(key).filter(found -> !found.merged());
        if (entry.isEmpty()) {
            return insert(map, path, List.of(value), false);
        }
        YamlNode old = entry.get().value();
        if (rest.isEmpty()) {
            return old.isNull() ? fillNull(entry.get(), value) : replace(old.place(), value);
        }
        if (old instanceof YamlMap inner) {
            return put(inner, rest, value);
        }
        return old.isNull() && fillNull(entry.get(), flow(rest, value));
    }

    private boolean append(YamlMap map, List<String> path, String item) {
        Optional<YamlEntry> entry = map.entry(path.getFirst()).filter(found -> !found.merged());
        if (entry.isEmpty()) {
            List<String> items = new ArrayList<>();
            if (path.size() == 1 && map.seq(path.getFirst()).isPresent()) {
                inherited(map.seq(path.getFirst()).get(), items);
            }
            items.add(item);
            return insert(map, path, items, true);
        }
        YamlNode old = entry.get().value();
        if (path.size() > 1) {
            return old instanceof YamlMap inner
                    ? append(inner, path.subList(1, path.size()), item)
                    : old.isNull() && fillNull(entry.get(), flow(path.subList(1, path.size()), "[" + item + "]"));
        }
        return switch (old) {
            case YamlSeq seq -> appendTo(seq, item);
            case YamlScalar scalar when scalar.isNull() -> fillNull(entry.get(), "[" + item + "]");
            case YamlScalar scalar -> replace(scalar.place(), "[" + YamlText.flow(scalar) + ", " + item + "]");
            case YamlMap other -> false;
        };
    }

    /// A merge key's list is replaced by the service's own, which therefore starts with the same items.
    private static void inherited(YamlSeq seq, List<String> items) {
        seq.items().forEach(item -> items.add(YamlText.flow(item)));
    }

    private boolean appendTo(YamlSeq seq, String item) {
        if (seq.items().stream().anyMatch(found -> found.place().text().equals(item))) {
            return true;
        }
        if (seq.flow() || seq.items().isEmpty()) {
            return insertAt(
                    seq.items().isEmpty()
                            ? seq.place().start() + 1
                            : seq.items().getLast().place().end(),
                    (seq.items().isEmpty() ? "" : ", ") + item);
        }
        int dash = YamlText.dash(seq.items().getFirst().place());
        if (dash < 0) {
            return false;
        }
        String line = YamlText.indentTo(source, dash) + "- " + item;
        Place last = seq.items().getLast().place();
        boolean blockText = last.text().startsWith("|") || last.text().startsWith(">");
        return blockText ? insertLinesBefore(dash, line) : insertLinesAfter(last, line);
    }

    private boolean dropItem(YamlMap map, List<String> path, String item) {
        Optional<YamlNode> found = item(map, path, item);
        Optional<YamlSeq> list = list(map, path);
        if (found.isEmpty() || list.isEmpty()) {
            return true;
        }
        YamlSeq seq = list.get();
        if (seq.items().size() == 1) {
            return seq.flow() ? replace(seq.place(), "[]") : emptyBlock(map, path, found.get());
        }
        if (seq.flow()) {
            int index = seq.items().indexOf(found.get());
            return index > 0
                    ? cut(
                            seq.items().get(index - 1).place().end(),
                            found.get().place().end())
                    : cut(
                            found.get().place().start(),
                            seq.items().get(1).place().start());
        }
        int dash = YamlText.dash(found.get().place());
        return dash >= 0 && cutLines(dash, found.get().place().end());
    }

    /// The list's last item goes: `key: []` stays, and the comments between.
    private boolean emptyBlock(YamlMap map, List<String> path, YamlNode item) {
        Optional<YamlEntry> entry = entry(map, path);
        int dash = YamlText.dash(item.place());
        if (entry.isEmpty() || dash < 0) {
            return false;
        }
        int colon = YamlText.colon(entry.get());
        return colon >= 0 && cutLines(dash, item.place().end()) && insertAt(colon + 1, " []");
    }

    private boolean drop(YamlMap map, List<String> path) {
        Optional<YamlMap> parent = path.size() == 1 ? Optional.of(map) : map(map, path.subList(0, path.size() - 1));
        Optional<YamlEntry> entry =
                parent.flatMap(found -> found.entry(path.getLast())).filter(found -> !found.merged());
        if (entry.isEmpty() || parent.isEmpty()) {
            return parent.flatMap(found -> found.entry(path.getLast())).isEmpty();
        }
        int start = entry.get().key().place().start();
        int end = entry.get().place().end();
        if (parent.get().flow()) {
            List<YamlEntry> all = List.copyOf(parent.get().entries().values());
            int index = all.indexOf(entry.get());
            return index > 0
                    ? cut(all.get(index - 1).place().end(), end)
                    : cut(start, all.size() > 1 ? all.get(1).key().place().start() : end);
        }
        boolean afterDash = !source.text()
                .substring(source.lineStart(source.line(start)), start)
                .isBlank();
        return !afterDash && cutLines(start, end);
    }

    private boolean insert(YamlMap map, List<String> path, List<String> values, boolean list) {
        List<YamlEntry> own =
                map.entries().values().stream().filter(entry -> !entry.merged()).toList();
        if (map.flow()) {
            String joined = String.join(", ", values);
            String text = YamlText.flow(path, list ? "[" + joined + "]" : joined);
            return own.isEmpty()
                    ? insertAt(map.place().start() + 1, text)
                    : insertAt(own.getLast().place().end(), ", " + text);
        }
        if (own.isEmpty()) {
            return false;
        }
        YamlEntry last = own.getLast();
        int column = own.getFirst().key().place().column();
        String lines = YamlText.block(path, values, list, column - 1, YamlText.lineBreak(source));
        boolean blockText = last.value() instanceof YamlScalar scalar
                && (scalar.place().text().startsWith("|")
                        || scalar.place().text().startsWith(">"));
        if (!blockText) {
            return insertLinesAfter(last.place(), lines);
        }
        int start = last.key().place().start();
        return source.column(start) == column
                && own.size() > 1
                && insertLinesAfter(own.get(own.size() - 2).place(), lines);
    }

    private static String flow(List<String> path, String value) {
        return "{" + YamlText.flow(path, value) + "}";
    }

    private boolean fillNull(YamlEntry entry, String value) {
        if (!entry.value().place().text().isEmpty()) {
            return replace(entry.value().place(), value);
        }
        int colon = YamlText.colon(entry);
        return colon >= 0 && insertAt(colon + 1, " " + value);
    }

    private static Optional<YamlEntry> entry(YamlMap map, List<String> path) {
        Optional<YamlMap> parent = path.size() == 1 ? Optional.of(map) : map(map, path.subList(0, path.size() - 1));
        return parent.flatMap(found -> found.entry(path.getLast()));
    }

    private static Optional<YamlMap> map(YamlMap map, List<String> path) {
        return entry(map, path)
                .map(YamlEntry::value)
                .filter(YamlMap.class::isInstance)
                .map(YamlMap.class::cast);
    }

    private static Optional<YamlSeq> list(YamlMap map, List<String> path) {
        return entry(map, path)
                .map(YamlEntry::value)
                .filter(YamlSeq.class::isInstance)
                .map(YamlSeq.class::cast);
    }

    private static Optional<YamlNode> item(YamlMap map, List<String> path, String text) {
        return list(map, path).stream()
                .flatMap(seq -> seq.items().stream())
                .filter(item -> item.place().text().equals(text))
                .findFirst();
    }

    private boolean replace(Place place, String text) {
        return change(place.start(), place.end(), text);
    }

    private boolean insertAt(int offset, String text) {
        return change(offset, offset, text);
    }

    /// Inserts lines below the line on which a place ends, past a comment behind it.
    private boolean insertLinesAfter(Place place, String lines) {
        int lineEnd = source.lineEnd(source.line(Math.max(place.start(), place.end() - 1)));
        return change(lineEnd, lineEnd, YamlText.lineBreak(source) + lines);
    }

    private boolean insertLinesBefore(int offset, String lines) {
        int start = source.lineStart(source.line(offset));
        return change(start, start, lines + YamlText.lineBreak(source));
    }

    private boolean cut(int start, int end) {
        return change(start, end, "");
    }

    private boolean cutLines(int start, int end) {
        int last = source.line(Math.max(start, end - 1));
        int until = last < source.lineCount() ? source.lineStart(last + 1) : source.length();
        return change(source.lineStart(source.line(start)), until, "");
    }

    private boolean change(int start, int end, String text) {
        String changed =
                source.text().substring(0, start) + text + source.text().substring(end);
        source = Source.of(source.name(), source.encode(changed));
        return true;
    }
}
