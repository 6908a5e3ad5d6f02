package dev.caisson.engine;

import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import dev.caisson.text.Quoted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Applies instructions of a Dockerfile that change nothing but an image's configuration, as `docker commit
/// --change` takes them. Variables are not expanded.
final class ConfigChanges {
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
        switch (keyword) {
            case "CMD" -> config.put("Cmd", command(rest));
            case "ENTRYPOINT" -> {
                config.put("Entrypoint", command(rest));
                config.remove("Cmd"); // it was for another one
            }
            case "ENV" -> environment(instruction, rest);
            case "LABEL" ->
                pairs(instruction, rest).forEach((key, value) -> map("Labels").put(key, value));
            case "EXPOSE" -> words(rest).forEach(port -> map("ExposedPorts").put(port(instruction, port), Map.of()));
            case "VOLUME" -> list(rest).forEach(path -> map("Volumes").put(path, Map.of()));
            case "USER" -> config.put("User", one(instruction, rest));
            case "WORKDIR" -> config.put("WorkingDir", directory(one(instruction, rest)));
            case "STOPSIGNAL" -> config.put("StopSignal", one(instruction, rest));
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

    private static List<String> list(String rest) {
        List<String> words = json(rest);
        return words.isEmpty() ? words(rest) : words;
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

    private void environment(String instruction, String rest) {
        var variables = new LinkedHashMap<String, String>();
        if (config.get("Env") instanceof List<?> before) {
            for (Object line : before) {
                String text = String.valueOf(line);
                int equals = text.indexOf('=');
                variables.put(equals < 0 ? text : text.substring(0, equals), text.substring(equals + 1));
            }
        }
        variables.putAll(pairs(instruction, rest));
        config.put(
                "Env",
                variables.entrySet().stream()
                        .map(variable -> variable.getKey() + "=" + variable.getValue())
                        .toList());
    }

    private static Map<String, String> pairs(String instruction, String rest) {
        var pairs = new LinkedHashMap<String, String>();
        List<String> words = words(rest);
        if (words.getFirst().indexOf('=') < 0) { // the older form: KEY and the rest of the line
            int space = rest.indexOf(words.getFirst()) + words.getFirst().length();
            if (words.size() < 2) {
                throw refused(instruction, "has no value");
            }
            return Map.of(words.getFirst(), rest.substring(space).strip());
        }
        for (String word : words) {
            int equals = word.indexOf('=');
            if (equals < 1) {
                throw refused(instruction, "has " + Quoted.of(word) + " without a name or value");
            }
            pairs.put(word.substring(0, equals), word.substring(equals + 1));
        }
        return pairs;
    }

    private static String one(String instruction, String rest) {
        List<String> words = words(rest);
        if (words.size() != 1) {
            throw refused(instruction, "has more than one value");
        }
        return words.getFirst();
    }

    private static String port(String instruction, String text) {
        String port = text.indexOf('/') < 0 ? text + "/tcp" : text;
        if (!port.matches("\\d{1,5}(-\\d{1,5})?/(tcp|udp|sctp)")) {
            throw refused(instruction, "has the port " + Quoted.of(text) + ", which is none");
        }
        return port;
    }

    private String directory(String path) {
        if (path.startsWith("/")) {
            return path;
        }
        String before = config.get("WorkingDir") instanceof String text && !text.isEmpty() ? text : "/";
        return before.endsWith("/") ? before + path : before + "/" + path;
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

    /// Splits at white space that is neither quoted nor escaped, and takes the quotes off.
    private static List<String> words(String text) {
        var words = new ArrayList<String>();
        var word = new StringBuilder();
        boolean begun = false;
        char quote = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote == 0 && Character.isWhitespace(c)) {
                if (begun) {
                    words.add(word.toString());
                    word.setLength(0);
                    begun = false;
                }
                continue;
            }
            begun = true;
            if (quote == 0 && (c == '"' || c == '\'')) {
                quote = c;
            } else if (c == quote) {
                quote = 0;
            } else if (c == '\\' && quote != '\'' && i + 1 < text.length()) {
                word.append(text.charAt(++i));
            } else {
                word.append(c);
            }
        }
        if (begun) {
            words.add(word.toString());
        }
        return words;
    }
}
