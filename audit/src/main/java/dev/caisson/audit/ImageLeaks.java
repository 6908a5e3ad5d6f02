package dev.caisson.audit;

import dev.caisson.image.LayerUse;
import dev.caisson.image.TarEntry;
import dev.caisson.image.TarReader;
import dev.caisson.scan.Leak;
import dev.caisson.scan.LeakScanner;
import dev.caisson.scan.ScanSink;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Scans an image: its variables, labels, command and history, and every layer, also the files that a
/// later layer removes. A finding in a layer says which instruction made it.
public final class ImageLeaks {
    private static final int LONGEST_INSTRUCTION = 120;
    /// A value behind an equals sign, a colon in an address or an option that takes a password.
    private static final Pattern VALUE = Pattern.compile(
            "(=|://[^\\s/:@]{0,64}:|(?i:\\s--?(?:u|user|p|pass\\w*|pw|token|auth|secret|a|w|key)[ =]))(?:\"[^\"]*\"|'[^']*'|[^\\s\"']+)");
    private static final String WHITEOUT = ".wh.";
    private static final String OPAQUE = ".wh..wh..opq";

    private record InLayer(int layer, Leak leak) {}

    private final LeakScanner scanner;
    private final String name;
    private final ScanSink sink;
    private final Map<?, ?> config;
    private final List<InLayer> found = new ArrayList<>();
    private final Map<InLayer, Integer> hidden = new LinkedHashMap<>();

    private ImageLeaks(LeakScanner scanner, String name, Map<?, ?> config, ScanSink sink) {
        this.scanner = scanner;
        this.name = name;
        this.config = config;
        this.sink = sink;
    }

    /// Scans an image.
    /// @param name by which places call it
    /// @param config JSON of the OCI image specification
    /// @param layers gives the layers to whom it is given, as often as it is called
    /// @throws AuditException if the configuration is not JSON
    public static void scan(LeakScanner scanner, String name, byte[] config, Consumer<LayerUse> layers, ScanSink sink) {
        try {
            Object document = Json.parse(new String(config, StandardCharsets.UTF_8));
            var scan = new ImageLeaks(scanner, name, document instanceof Map<?, ?> map ? map : Map.of(), sink);
            scan.configuration();
            layers.accept(scan::layer);
            if (!scan.found.isEmpty()) {
                layers.accept(scan::removals);
            }
            scan.report();
        } catch (MalformedJsonException e) {
            throw new AuditException(
                    AuditException.Code.INPUT_UNREADABLE,
                    "the configuration of " + name + " is not JSON: " + e.getMessage(),
                    e);
        }
    }

    /// Reports a finding. Whoever made an image is not who may allow it.
    private void tell(Leak leak) {
        sink.found(leak.allowed(""));
    }

    private void configuration() {
        if (config.get("config") instanceof Map<?, ?> settings) {
            texts(settings.get("Env")).forEach(line -> {
                String[] parts = line.split("=", 2);
                scanner.scan(name + " env " + parts[0], parts[0], parts.length < 2 ? "" : parts[1])
                        .forEach(this::tell);
            });
            if (settings.get("Labels") instanceof Map<?, ?> labels) {
                labels.forEach((label, value) -> scanner.scan(
                                name + " label " + label, String.valueOf(label), String.valueOf(value))
                        .forEach(this::tell));
            }
            for (String key : List.of("Entrypoint", "Cmd")) {
                scanner.scan(name + " " + key, String.join(" ", texts(settings.get(key))))
                        .forEach(this::tell);
            }
        }
        List<String> history = history(true);
        for (int at = 0; at < history.size(); at++) {
            scanner.scan(name + " history " + (at + 1), history.get(at)).forEach(this::tell);
        }
    }

    private static List<String> texts(@Nullable Object value) {
        return value instanceof List<?> all ? all.stream().map(String::valueOf).toList() : List.of();
    }

    /// Returns the instructions that the image was made by.
    /// @param empty also those that made no layer
    private List<String> history(boolean empty) {
        List<String> instructions = new ArrayList<>();
        if (config.get("history") instanceof List<?> all) {
            for (Object item : all) {
                if (item instanceof Map<?, ?> entry && (empty || !Boolean.TRUE.equals(entry.get("empty_layer")))) {
                    instructions.add(entry.get("created_by") instanceof String text ? text : "");
                }
            }
        }
        return instructions;
    }

    private String layerName(int index) {
        return name + " layer " + (index + 1);
    }

    private void layer(int index, InputStream archive) {
        scanner.scan(layerName(index), archive, new ScanSink() {
            @Override
            public void found(Leak leak) {
                found.add(new InLayer(index, leak));
            }

            @Override
            public void skipped(String source, String why) {
                sink.skipped(source, why);
            }
        });
    }

    /// Notes which findings a layer above theirs removes or replaces.
    private void removals(int index, InputStream archive) throws IOException {
        List<InLayer> below = found.stream()
                .filter(leak -> leak.layer() < index && !hidden.containsKey(leak))
                .toList();
        var reader = new TarReader(archive);
        for (TarEntry entry = next(reader); entry != null && !below.isEmpty(); entry = next(reader)) {
            String path = entry.name().toString();
            for (InLayer leak : below) {
                if (isHidden(path(leak), path)) {
                    hidden.putIfAbsent(leak, index);
                }
            }
        }
    }

    private static @Nullable TarEntry next(TarReader reader) throws IOException {
        return reader.next().orElse(null);
    }

    private String path(InLayer leak) {
        String inside =
                leak.leak().place().source().substring(layerName(leak.layer()).length());
        String path = inside.startsWith("!/") ? inside.substring(2) : inside;
        int archive = path.indexOf("!/");
        return plain(archive < 0 ? path : path.substring(0, archive));
    }

    private static String plain(String path) {
        return path.startsWith("./") ? path.substring(2) : path.startsWith("/") ? path.substring(1) : path;
    }

    private static boolean isHidden(String path, String entry) {
        String above = plain(entry);
        int slash = above.lastIndexOf('/') + 1;
        String directory = above.substring(0, slash);
        String last = above.substring(slash);
        if (last.equals(OPAQUE)) {
            return path.startsWith(directory);
        }
        if (last.startsWith(WHITEOUT)) {
            String gone = directory + last.substring(WHITEOUT.length());
            return path.equals(gone) || path.startsWith(gone + "/");
        }
        return path.equals(above);
    }

    private void report() {
        List<String> instructions = history(false);
        for (InLayer leak : found) {
            String instruction = leak.layer() < instructions.size() ? instructions.get(leak.layer()) : "";
            String by = instruction.isBlank() ? "" : "; the layer was made by: " + shown(instruction);
            Integer hider = hidden.get(leak);
            String gone = hider == null
                    ? ""
                    : "; layer " + (hider + 1) + " hides the file, but whoever has the image has it too";
            tell(leak.leak().because(by + gone));
        }
    }

    /// Returns an instruction without values. One that holds a secret is cut behind its first word.
    private String shown(String instruction) {
        String text = VALUE.matcher(instruction.replaceAll("\\s+", " ").strip()).replaceAll("$1…");
        if (!scanner.scan(name, instruction).isEmpty()) {
            return text.split(" ", 2)[0] + " …";
        }
        return text.length() <= LONGEST_INSTRUCTION ? text : text.substring(0, LONGEST_INSTRUCTION) + "…";
    }
}
