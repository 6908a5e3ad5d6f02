package dev.caisson.containerfile.compose;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.Source;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A file of `NAME=value` lines, as compose reads `.env` and `env_file`: comments, `export`, quotes, values
/// over several lines in quotes, and interpolation in all but single-quoted ones.
public final class EnvFile {
    private final Source source;
    private final Function<String, @Nullable String> outer;
    private final Map<String, Setting<String>> values = new LinkedHashMap<>();
    private int at;

    private EnvFile(Source source, Function<String, @Nullable String> outer) {
        this.source = source;
        this.outer = outer;
    }

    /// Reads a file; a variable may use those above it and those of `outer`.
    /// @throws ContainerFileException at a line that is no assignment
    public static Map<String, Setting<String>> parse(Source source, Function<String, @Nullable String> outer) {
        EnvFile file = new EnvFile(source, outer);
        file.read();
        return file.values;
    }

    /// Reads a file of which each value is all that stands behind its `=`, as `format: raw` asks for.
    public static Map<String, Setting<String>> raw(Source source) {
        Map<String, Setting<String>> values = new LinkedHashMap<>();
        for (int line = 1; line <= source.lineCount(); line++) {
            int start = source.lineStart(line);
            String text = source.text().substring(start, source.lineEnd(line));
            int equals = text.indexOf('=');
            if (equals > 0 && !text.stripLeading().startsWith("#")) {
                String name = text.substring(0, equals).stripLeading();
                values.put(name, new Setting<>(text.substring(equals + 1), source.place(start, start + text.length())));
            }
        }
        return values;
    }

    private void read() {
        String text = source.text();
        if (!text.isEmpty() && text.charAt(0) == '\uFEFF') {
            at = 1;
        }
        while (at < text.length()) {
            int lineEnd = source.lineEnd(source.line(at));
            int start = skipBlank(at, lineEnd);
            if (start == lineEnd || text.charAt(start) == '#') {
                nextLine();
            } else {
                assignment(start, lineEnd);
            }
        }
    }

    private void assignment(int start, int lineEnd) {
        String text = source.text();
        int nameStart = text.startsWith("export ", start) ? skipBlank(start + 7, lineEnd) : start;
        int nameEnd = nameStart;
        while (nameEnd < lineEnd && text.charAt(nameEnd) != '=' && text.charAt(nameEnd) != ':') {
            nameEnd++;
        }
        String name = text.substring(nameStart, nameEnd).strip();
        if (name.isEmpty() || name.chars().anyMatch(Character::isWhitespace)) {
            throw new ContainerFileException(
                    FileError.ENV_FILE, source.place(start, lineEnd), "A line must be NAME=value or a comment.");
        }
        if (nameEnd == lineEnd) {
            String inherited = outer.apply(name);
            if (inherited != null) {
                values.put(name, new Setting<>(inherited, source.place(nameStart, lineEnd)));
            }
            nextLine();
            return;
        }
        int valueStart = skipBlank(nameEnd + 1, lineEnd);
        char quote = valueStart < lineEnd ? text.charAt(valueStart) : 0;
        if (quote == '"' || quote == '\'') {
            quoted(name, nameStart, valueStart, quote);
        } else {
            int valueEnd = unquotedEnd(valueStart, lineEnd);
            String value = interpolate(text.substring(valueStart, valueEnd), source.place(nameStart, valueEnd));
            values.put(name, new Setting<>(value, source.place(nameStart, valueEnd)));
            nextLine();
        }
    }

    private void quoted(String name, int nameStart, int quoteStart, char quote) {
        String text = source.text();
        StringBuilder value = new StringBuilder();
        int index = quoteStart + 1;
        while (index < text.length() && text.charAt(index) != quote) {
            char c = text.charAt(index);
            if (c == '\\' && quote == '"' && index + 1 < text.length()) {
                index++;
                value.append(
                        switch (text.charAt(index)) {
                            case 'n' -> "\n";
                            case 'r' -> "\r";
                            case 't' -> "\t";
                            case '$' -> "$$";
                            default -> String.valueOf(text.charAt(index));
                        });
            } else {
                value.append(c);
            }
            index++;
        }
        if (index >= text.length()) {
            throw new ContainerFileException(
                    FileError.ENV_FILE, source.place(quoteStart, quoteStart + 1), "The quote is not closed.");
        }
        Place place = source.place(nameStart, index + 1);
        values.put(name, new Setting<>(quote == '"' ? interpolate(value.toString(), place) : value.toString(), place));
        at = index;
        nextLine();
    }

    private String interpolate(String value, Place place) {
        return Interpolation.expand(value, place, this::lookup).value();
    }

    private @Nullable String lookup(String name) {
        Setting<String> own = values.get(name);
        return own != null ? own.value() : outer.apply(name);
    }

    /// A `#` begins a comment only after white space.
    private int unquotedEnd(int start, int lineEnd) {
        String text = source.text();
        int end = lineEnd;
        for (int index = start; index < lineEnd; index++) {
            if (text.charAt(index) == '#' && (index == start || Character.isWhitespace(text.charAt(index - 1)))) {
                end = index;
                break;
            }
        }
        while (end > start && Character.isWhitespace(text.charAt(end - 1))) {
            end--;
        }
        return end;
    }

    private int skipBlank(int from, int end) {
        int index = from;
        while (index < end && Character.isWhitespace(source.text().charAt(index))) {
            index++;
        }
        return Math.min(index, end);
    }

    private void nextLine() {
        int line = source.line(at);
        at = line < source.lineCount() ? source.lineStart(line + 1) : source.length();
    }
}
