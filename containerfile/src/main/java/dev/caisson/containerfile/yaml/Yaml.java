package dev.caisson.containerfile.yaml;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.common.Anchor;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/// Reads YAML into nodes with places. Depth and the number of nodes after alias expansion are bounded, so that a file
/// of a few lines cannot take the memory of the auditor ("billion laughs").
public final class Yaml {
    private static final int MAX_DEPTH = 100;
    private static final int MAX_NODES = 500_000;
    private static final String MERGE_KEY = "<<";

    private final Source source;
    private final int @Nullable [] utf16;
    private final Iterator<Event> events;
    private final Map<Anchor, YamlNode> anchors = new HashMap<>();
    private final IdentityHashMap<YamlNode, Integer> sizes = new IdentityHashMap<>();
    private int nodes;

    private Yaml(Source source) {
        this.source = source;
        this.utf16 = utf16Offsets(source.text());
        LoadSettings settings = LoadSettings.builder()
                .setLabel(source.name())
                .setUseMarks(true)
                .setParseComments(false)
                .setCodePointLimit(Integer.MAX_VALUE)
                .build();
        this.events = new ParserImpl(settings, new StreamReader(settings, source.text()));
    }

    /// All documents of a file, empty ones left out.
    /// @throws ContainerFileException with the place where the text is no YAML, or too deep or too large
    public static List<YamlNode> documents(Source source) {
        Yaml yaml = new Yaml(source);
        try {
            return yaml.stream();
        } catch (MarkedYamlEngineException e) {
            Place place = e.getProblemMark()
                    .or(e::getContextMark)
                    .map(yaml::offset)
                    .map(at -> source.place(at, at))
                    .orElse(source.place(0, 0));
            throw new ContainerFileException(FileError.YAML_SYNTAX, place, sentence(e.getProblem()));
        } catch (YamlEngineException e) {
            throw new ContainerFileException(FileError.YAML_SYNTAX, source.place(0, 0), sentence(e.getMessage()));
        }
    }

    /// The only document of a file; empty for a file without one.
    public static Optional<YamlNode> document(Source source) {
        List<YamlNode> documents = documents(source);
        if (documents.size() > 1) {
            throw new ContainerFileException(
                    FileError.YAML_SYNTAX,
                    documents.get(1).place(),
                    source.name() + " holds more than one YAML document.");
        }
        return documents.stream().findFirst();
    }

    private static String sentence(@Nullable String problem) {
        return "This is no YAML: "
                + (problem == null
                        ? "it cannot be read"
                        : problem.lines().findFirst().orElse("")) + ".";
    }

    private List<YamlNode> stream() {
        List<YamlNode> documents = new ArrayList<>();
        while (events.hasNext()) {
            if (events.next() instanceof DocumentStartEvent) {
                anchors.clear();
                YamlNode root = node(events.next(), 0);
                if (!root.isNull()) {
                    documents.add(root);
                }
            }
        }
        return documents;
    }

    private YamlNode node(Event event, int depth) {
        if (depth > MAX_DEPTH) {
            throw tooLarge(event, "Nodes are nested more than " + MAX_DEPTH + " deep.");
        }
        if (event instanceof AliasEvent alias) {
            return alias(alias);
        }
        int before = nodes;
        count(event, 1);
        YamlNode made = switch (event) {
            case ScalarEvent scalar -> scalar(scalar);
            case SequenceStartEvent start -> sequence(start, depth);
            case MappingStartEvent start -> mapping(start, depth);
            default -> throw new IllegalStateException("no node begins with " + event);
        };
        Optional<Anchor> anchor = ((NodeEvent) event).getAnchor();
        if (anchor.isPresent()) {
            anchors.put(anchor.get(), made);
            sizes.put(made, nodes - before);
        }
        return made;
    }

    private YamlNode alias(AliasEvent alias) {
        YamlNode target = anchors.get(alias.getAlias());
        if (target == null) {
            throw new ContainerFileException(
                    FileError.YAML_SYNTAX,
                    place(alias),
                    "This is no YAML: the alias " + alias.getAlias() + " has no anchor before it.");
        }
        count(alias, sizes.getOrDefault(target, 1));
        return target;
    }

    private void count(Event event, int more) {
        nodes += more;
        if (nodes > MAX_NODES) {
            throw tooLarge(event, "The file has more than " + MAX_NODES + " nodes once its aliases are expanded.");
        }
    }

    private YamlScalar scalar(ScalarEvent event) {
        return new YamlScalar(place(event), tag(event.getTag()), event.getValue(), event.isPlain());
    }

    private YamlSeq sequence(SequenceStartEvent start, int depth) {
        List<YamlNode> items = new ArrayList<>();
        int end = end(start);
        Event next = events.next();
        while (next.getEventId() != Event.ID.SequenceEnd) {
            YamlNode item = node(next, depth + 1);
            items.add(item);
            end = Math.max(
                    end, next instanceof AliasEvent ? end(next) : item.place().end());
            next = events.next();
        }
        if (start.isFlow()) {
            end = end(next);
        }
        Place place = source.place(Math.min(start(start), end), end);
        return new YamlSeq(place, tag(start.getTag()), start.isFlow(), Collections.unmodifiableList(items));
    }

    private YamlMap mapping(MappingStartEvent start, int depth) {
        Map<String, YamlEntry> entries = new LinkedHashMap<>();
        List<YamlNode> merges = new ArrayList<>();
        int end = end(start);
        Event next = events.next();
        while (next.getEventId() != Event.ID.MappingEnd) {
            YamlNode key = node(next, depth + 1);
            Event valueEvent = events.next();
            YamlNode value = node(valueEvent, depth + 1);
            end = Math.max(
                    end,
                    valueEvent instanceof AliasEvent
                            ? end(valueEvent)
                            : value.place().end());
            if (!(key instanceof YamlScalar name)) {
                throw new ContainerFileException(
                        FileError.YAML_SYNTAX, key.place(), "The key of a mapping must be a scalar here.");
            }
            if (name.value().equals(MERGE_KEY) && name.plain()) {
                merges.add(value);
            } else if (entries.putIfAbsent(name.value(), new YamlEntry(name, value, false)) != null) {
                throw new ContainerFileException(
                        FileError.YAML_SYNTAX, name.place(), "The key " + name.value() + " is given twice.");
            }
            next = events.next();
        }
        if (start.isFlow()) {
            end = end(next);
        }
        merges.forEach(merge -> merge(merge, entries));
        Place place = source.place(Math.min(start(start), end), end);
        return new YamlMap(place, tag(start.getTag()), start.isFlow(), Collections.unmodifiableMap(entries));
    }

    /// A merge key adds what is not there yet; of several mappings the first wins.
    private void merge(YamlNode merged, Map<String, YamlEntry> entries) {
        switch (merged) {
            case YamlMap map ->
                map.entries()
                        .forEach((key, entry) ->
                                entries.putIfAbsent(key, new YamlEntry(entry.key(), entry.value(), true)));
            case YamlSeq seq -> {
                for (YamlNode item : seq.items()) {
                    if (!(item instanceof YamlMap)) {
                        throw notMergeable(item);
                    }
                    merge(item, entries);
                }
            }
            case YamlScalar scalar -> {
                if (!scalar.isNull()) {
                    throw notMergeable(scalar);
                }
            }
        }
    }

    private static ContainerFileException notMergeable(YamlNode node) {
        return new ContainerFileException(
                FileError.YAML_SYNTAX, node.place(), "A merge key, <<, takes a mapping or a list of mappings.");
    }

    private ContainerFileException tooLarge(Event event, String message) {
        return new ContainerFileException(FileError.YAML_TOO_LARGE, place(event), message);
    }

    private static String tag(Optional<String> tag) {
        return tag.filter(text -> !text.startsWith("tag:yaml.org,2002:") && !text.equals("!"))
                .orElse("");
    }

    private Place place(Event event) {
        int start = start(event);
        return source.place(start, Math.max(start, end(event)));
    }

    private int start(Event event) {
        return event.getStartMark().map(this::offset).orElse(0);
    }

    private int end(Event event) {
        return event.getEndMark().map(this::offset).orElse(0);
    }

    private int offset(Mark mark) {
        int index = mark.getIndex();
        return Math.min(source.length(), utf16 == null ? index : utf16[Math.min(index, utf16.length - 1)]);
    }

    /// The parser counts code points; where every character is one code unit, no table is needed.
    private static int @Nullable [] utf16Offsets(String text) {
        if (text.chars().noneMatch(c -> Character.isSurrogate((char) c))) {
            return null;
        }
        int[] offsets = new int[text.codePointCount(0, text.length()) + 1];
        int at = 0;
        for (int index = 0; index < offsets.length - 1; index++) {
            offsets[index] = at;
            at += Character.charCount(text.codePointAt(at));
        }
        offsets[offsets.length - 1] = text.length();
        return offsets;
    }
}
