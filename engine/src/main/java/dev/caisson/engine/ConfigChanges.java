package dev.caisson.engine;

import dev.caisson.linux.Processes;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import dev.caisson.text.Quoted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Applies instructions of a Dockerfile that change nothing but an image's configuration, as `docker commit
/// --change` takes them. `$NAME` and `${NAME}` are variables of the image, as in a Dockerfile.
final class ConfigChanges {
    private static final Pattern PORTS = Pattern.compile("(\\d{1,5})(?:-(\\d{1,5}))?(?:/(tcp|udp|sctp))?");
    private static final int LAST_PORT = 65_535;

    private final Map<String, @Nullable Object> config;

    /// @param config the member `config` of an image's configuration, which is changed
    ConfigChanges(Map<String, @Nullable Object> config) {
        this.config = config;
    }

    /// @param instruction as `ENV PATH=/bin` or `CMD ["sh"]`
    /// @throws EngineException CHANGE_REFUSED
    void apply(String instruction) {
        String text = instruction.strip();
        int end = 0;
        while (end < text.length() && !Character.isWhitespace(text.charAt(end))) {
            end++;
        }
        String keyword = text.substring(0, end).toUpperCase(Locale.ROOT);
        String rest = text.substring(end).strip();
        if (rest.isEmpty()) {
            throw refused(instruction, "has no value");
        }
        var words = new ChangeWords(instruction, variables());
        switch (keyword) {
            case "CMD" -> config.put("Cmd", command(rest));
            case "ENTRYPOINT" -> {
                config.put("Entrypoint", command(rest));
                config.remove("Cmd"); // it was for another one
            }
            case "ENV" -> environment(words, rest);
            case "LABEL" ->
                pairs(words, rest).forEach((key, value) -> map("Labels").put(key, value));
            case "EXPOSE" ->
                empty(
                        "ExposedPorts",
                        words.split(rest).stream()
                                .flatMap(port -> ports(instruction, port).stream())
                                .toList());
            case "VOLUME" -> empty("Volumes", list(words, rest));
            case "USER" -> config.put("User", one(words, rest));
            case "WORKDIR" -> config.put("WorkingDir", directory(one(words, rest)));
            case "STOPSIGNAL" -> config.put("StopSignal", signal(instruction, one(words, rest)));
            default ->
                throw refused(
                        instruction,
                        "is not one of CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR");
        }
    }

    private static EngineException refused(String instruction, String fault) {
        return new EngineException(
                "CHANGE_REFUSED",
                "the change " + Quoted.of(instruction) + " " + fault + ": write it as in a Dockerfile");
    }

    private static List<String> command(String rest) {
        List<String> words = json(rest);
        return words.isEmpty() && !rest.equals("[]") ? List.of("/bin/sh", "-c", rest) : words;
    }

    private static List<String> list(ChangeWords words, String rest) {
        List<String> list = json(rest);
        return list.isEmpty()
                ? words.split(rest)
                : list.stream().map(words::expand).toList();
    }

    /// The words of a list in JSON; none if it is not one.
    private static List<String> json(String rest) {
        if (!rest.startsWith("[")) {
            return List.of();
        }
        try {
            var words = new ArrayList<String>();
            for (Object word : Json.parseList(rest, Json.Limits.DEFAULT)) {
                if (!(word instanceof String text)) {
                    return List.of();
                }
                words.add(text);
            }
            return words;
        } catch (MalformedJsonException e) {
            return List.of(); // as in a Dockerfile, it is a command of the shell then
        }
    }

    private Map<String, String> variables() {
        var variables = new LinkedHashMap<String, String>();
        if (config.get("Env") instanceof List<?> before) {
            for (Object line : before) {
                String text = String.valueOf(line);
                int equals = text.indexOf('=');
                variables.put(equals < 0 ? text : text.substring(0, equals), text.substring(equals + 1));
            }
        }
        return variables;
    }

    private void environment(ChangeWords words, String rest) {
        Map<String, String> variables = variables();
        variables.putAll(pairs(words, rest));
        config.put(
                "Env",
                variables.entrySet().stream()
                        .map(variable -> variable.getKey() + "=" + variable.getValue())
                        .toList());
    }

    private static Map<String, String> pairs(ChangeWords words, String rest) {
        int first = 0;
        while (first < rest.length() && !Character.isWhitespace(rest.charAt(first))) {
            first++;
        }
        if (rest.substring(0, first).indexOf('=') < 0) { // the older form: KEY and the rest of the line
            if (first == rest.length()) {
                throw refused(words.instruction(), "has no value");
            }
            return Map.of(
                    rest.substring(0, first), words.expand(rest.substring(first).strip()));
        }
        var pairs = new LinkedHashMap<String, String>();
        for (String word : words.split(rest)) {
            int equals = word.indexOf('=');
            if (equals < 1) {
                throw refused(words.instruction(), "has " + Quoted.of(word) + " without a name or value");
            }
            pairs.put(word.substring(0, equals), word.substring(equals + 1));
        }
        return pairs;
    }

    private static String one(ChangeWords words, String rest) {
        List<String> all = words.split(rest);
        if (all.size() != 1 || all.getFirst().isEmpty()) {
            throw refused(words.instruction(), all.size() > 1 ? "has more than one value" : "has an empty value");
        }
        return all.getFirst();
    }

    private static List<String> ports(String instruction, String text) {
        var ports = PORTS.matcher(text);
        int first = ports.matches() ? Integer.parseInt(ports.group(1)) : 0;
        int last = first == 0 || ports.group(2) == null ? first : Integer.parseInt(ports.group(2));
        if (first < 1 || last < first || last > LAST_PORT) {
            throw refused(instruction, "has the port " + Quoted.of(text) + ", which is none");
        }
        String transport = ports.group(3) == null ? "tcp" : ports.group(3);
        return IntStream.rangeClosed(first, last)
                .mapToObj(port -> port + "/" + transport)
                .toList();
    }

    private static String signal(String instruction, String text) {
        if (Processes.signalNumber(text).isEmpty()) {
            throw refused(instruction, "has the signal " + Quoted.of(text) + ", which is none");
        }
        return text;
    }

    private String directory(String path) {
        if (path.startsWith("/")) {
            return path;
        }
        String before = config.get("WorkingDir") instanceof String text && !text.isEmpty() ? text : "/";
        return before.endsWith("/") ? before + path : before + "/" + path;
    }

    /// Adds keys, whose values say nothing.
    private void empty(String key, List<String> names) {
        Map<String, Object> map = map(key);
        names.forEach(name -> map.put(name, Map.of()));
    }

    @SuppressWarnings("unchecked") // JSON's
    private Map<String, Object> map(String key) {
        var copy = new LinkedHashMap<String, Object>();
        if (config.get(key) instanceof Map<?, ?> before) {
            copy.putAll((Map<String, Object>) before);
        }
        config.put(key, copy);
        return copy;
    }
}
