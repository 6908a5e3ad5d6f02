package dev.caisson.containerfile.build;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.dockerfile.Wildcards;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Variables in the words of an instruction, as BuildKit substitutes them: `$NAME`, `${NAME}` and the modifiers
/// `:-`, `-`, `:+`, `+`, `:?`, `?`, `#`, `##`, `%`, `%%`, `/` and `//`. Nothing in single quotes is substituted.
public final class Substitution {
    private static final int MAX_DEPTH = 32;
    /// A kernel takes no longer argument or variable, and a chain of variables could double at every line.
    private static final int MAX_LENGTH = 128 * 1024;

    /// Each modifier compares a whole value with its pattern.
    private static final int MAX_PATTERN = 1_024;

    private final String text;
    private final char escape;
    private final Function<String, @Nullable String> lookup;
    private final Set<String> unset;
    private final Set<String> required;
    private final int depth;
    private final boolean quotesKept;
    private int at;

    private Substitution(
            String text,
            char escape,
            Function<String, @Nullable String> lookup,
            Set<String> unset,
            Set<String> required,
            int depth,
            boolean quotesKept) {
        this.text = text;
        this.escape = escape;
        this.lookup = lookup;
        this.unset = unset;
        this.required = required;
        this.depth = depth;
        this.quotesKept = quotesKept;
    }

    /// A word with its variables replaced.
    /// @param value the text; a variable without a value counts as empty
    /// @param unset the variables that had neither value nor default
    /// @param required those of them that must have a value, as in `${NAME:?why}`, each with its reason
    public record Expanded(String value, Set<String> unset, Set<String> required) {}

    /// Expands one word and takes its quotes off.
    /// @throws ContainerFileException without a place if a brace is not closed or a modifier is unknown
    public static Expanded expand(String raw, char escape, Function<String, @Nullable String> lookup) {
        return expand(raw, escape, lookup, false);
    }

    /// Expands the text of a here-document, in which quotes are text.
    /// @throws ContainerFileException without a place if a brace is not closed or a modifier is unknown
    public static Expanded expandText(String text, Function<String, @Nullable String> lookup) {
        return expand(text, '\\', lookup, true);
    }

    private static Expanded expand(
            String raw, char escape, Function<String, @Nullable String> lookup, boolean quotesKept) {
        Set<String> unset = new LinkedHashSet<>();
        Set<String> required = new LinkedHashSet<>();
        String value = new Substitution(raw, escape, lookup, unset, required, 0, quotesKept).run((char) 0);
        return new Expanded(value, unset, required);
    }

    /// Reads up to the unquoted `stop`, or to the end where it is 0.
    private String run(char stop) {
        StringBuilder out = new StringBuilder();
        boolean quoted = false;
        while (at < text.length()) {
            requireShort(out.length());
            char c = text.charAt(at);
            if (c == stop && stop != 0 && !quoted) {
                return out.toString();
            }
            if (c == '\'' && !quoted && !quotesKept) {
                int close = text.indexOf('\'', at + 1);
                int end = close < 0 ? text.length() : close;
                out.append(text, at + 1, end);
                at = Math.min(text.length(), end + 1);
            } else if (c == '"' && !quotesKept) {
                quoted = !quoted;
                at++;
            } else if (c == escape && at + 1 < text.length()) {
                char next = text.charAt(at + 1);
                if (quoted && next != '"' && next != '$' && next != escape) {
                    out.append(c);
                }
                out.append(next);
                at += 2;
            } else if (c == '$') {
                at++;
                out.append(variable());
            } else {
                out.append(c);
                at++;
            }
        }
        requireShort(out.length());
        return out.toString();
    }

    private String variable() {
        if (at < text.length() && text.charAt(at) == '{') {
            at++;
            return braced();
        }
        String name = name();
        return name.isEmpty() ? "$" : value(name);
    }

    private String braced() {
        String name = name();
        if (name.isEmpty() || at >= text.length()) {
            throw error("A variable's name must follow ${.");
        }
        char operator = text.charAt(at++);
        return switch (operator) {
            case '}' -> value(name);
            case ':', '-', '+', '?' -> conditional(name, operator);
            case '#', '%' -> trimmed(name, operator);
            case '/' -> replaced(name);
            default -> throw error("${" + name + operator + "…} has an unknown modifier.");
        };
    }

    private String trimmed(String name, char operator) {
        boolean greedy = at < text.length() && text.charAt(at) == operator;
        at += greedy ? 1 : 0;
        String pattern = nested('}');
        close();
        return operator == '#'
                ? withoutPrefix(value(name), pattern, greedy)
                : withoutSuffix(value(name), pattern, greedy);
    }

    private String replaced(String name) {
        boolean all = at < text.length() && text.charAt(at) == '/';
        at += all ? 1 : 0;
        String pattern = nested('/');
        String replacement = "";
        if (at < text.length() && text.charAt(at) == '/') {
            at++;
            replacement = nested('}');
        }
        close();
        return replaced(value(name), glob(pattern), replacement, all);
    }

    private static String replaced(String value, Wildcards pattern, String replacement, boolean all) {
        StringBuilder out = new StringBuilder();
        int from = 0;
        Optional<Wildcards.Found> found = pattern.find(value, from);
        while (found.isPresent()) {
            int end = found.get().end();
            out.append(value, from, found.get().start()).append(replacement);
            from = end;
            if (found.get().start() == end) { // it fits nothing at all
                from = Math.min(value.length(), end + 1);
                out.append(value, end, from);
            }
            requireShort(out.length());
            boolean isLast = !all || end == value.length();
            found = isLast ? Optional.empty() : pattern.find(value, from);
        }
        return out.append(value, from, value.length()).toString();
    }

    private String conditional(String name, char first) {
        char operator = first;
        boolean emptyCounts = first == ':';
        if (emptyCounts) {
            if (at >= text.length() || "-+?".indexOf(text.charAt(at)) < 0) {
                throw error("${" + name + ":…} must go on with -, + or ?.");
            }
            operator = text.charAt(at++);
        }
        String word = nested('}');
        close();
        String value = lookup.apply(name);
        boolean present = value != null && !(emptyCounts && value.isEmpty());
        if (operator == '+') {
            return present ? word : "";
        }
        if (present && value != null) {
            return value;
        }
        if (operator == '?') {
            unset.add(name);
            required.add(word.isEmpty() ? name : name + ": " + word);
            return "";
        }
        return word;
    }

    private String nested(char stop) {
        if (depth == MAX_DEPTH) {
            throw error("Variables are nested more than " + MAX_DEPTH + " deep.");
        }
        Substitution inner = new Substitution(text, escape, lookup, unset, required, depth + 1, quotesKept);
        inner.at = at;
        String word = stop == '/' ? inner.patternPart() : inner.run(stop);
        at = inner.at;
        return word;
    }

    /// The pattern of a replacement ends at `/` or, without a replacement, at `}`.
    private String patternPart() {
        StringBuilder out = new StringBuilder();
        while (at < text.length() && text.charAt(at) != '/' && text.charAt(at) != '}') {
            if (text.charAt(at) == escape && at + 1 < text.length()) {
                at++;
            }
            out.append(text.charAt(at++));
        }
        return out.toString();
    }

    private void close() {
        if (at >= text.length() || text.charAt(at) != '}') {
            throw error("${ is not closed.");
        }
        at++;
    }

    private String name() {
        int start = at;
        while (at < text.length() && isNamePart(text.charAt(at))) {
            at++;
        }
        return text.substring(start, at);
    }

    private String value(String name) {
        String value = lookup.apply(name);
        if (value == null) {
            unset.add(name);
            return "";
        }
        return value;
    }

    private static boolean isNamePart(char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }

    private static String withoutPrefix(String value, String pattern, boolean longest) {
        int end = glob(pattern).beginning(value, longest);
        return end < 0 ? value : value.substring(end);
    }

    private static String withoutSuffix(String value, String pattern, boolean longest) {
        int length = glob(reversed(pattern)).beginning(reversed(value), longest);
        return length < 0 ? value : value.substring(0, value.length() - length);
    }

    private static String reversed(String text) {
        return new StringBuilder(text).reverse().toString();
    }

    /// Reads a shell pattern with `*` and `?`.
    private static Wildcards glob(String pattern) {
        if (pattern.length() > MAX_PATTERN) {
            throw error("A pattern is longer than " + MAX_PATTERN + " characters.");
        }
        var wildcards = new Wildcards.Builder();
        pattern.codePoints().forEach(c -> {
            switch (c) {
                case '*' -> wildcards.many();
                case '?' -> wildcards.one();
                default -> wildcards.literal(c);
            }
        });
        return wildcards.build();
    }

    private static void requireShort(int length) {
        if (length > MAX_LENGTH) {
            throw error("A value is longer than " + MAX_LENGTH + " characters once its variables are replaced.");
        }
    }

    private static ContainerFileException error(String message) {
        return new ContainerFileException(FileError.DOCKERFILE_SUBSTITUTION, message);
    }
}
