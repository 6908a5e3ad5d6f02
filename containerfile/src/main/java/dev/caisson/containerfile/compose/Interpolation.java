package dev.caisson.containerfile.compose;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import dev.caisson.containerfile.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Variables in the values of a compose file (compose specification, 12-interpolation): `$NAME`, `${NAME}`, the
/// operators `:-` `-` `:?` `?` `:+` `+`, nested to any use, and `$$` for a dollar sign.
final class Interpolation {
    private static final int MAX_DEPTH = 32;
    /// A chain of variables could double at every line.
    private static final int MAX_GROWTH = 128 * 1024;

    private final String text;
    private final Place place;
    private final Function<String, @Nullable String> lookup;
    private final List<String> unset;
    private final int depth;
    private int at;
    private boolean outside;

    private Interpolation(
            String text, Place place, Function<String, @Nullable String> lookup, List<String> unset, int depth) {
        this.text = text;
        this.place = place;
        this.lookup = lookup;
        this.unset = unset;
        this.depth = depth;
    }

    /// A value with its variables replaced.
    /// @param unset the variables that had neither value nor default, those that the file requires among them
    /// @param outside whether a variable, not the text and its defaults, gave a part of the value or is to give it
    record Expanded(String value, List<String> unset, boolean outside) {}

    /// Replaces the variables of a value that stands at `place`.
    /// @throws ContainerFileException where the syntax is wrong
    static Expanded expand(String text, Place place, Function<String, @Nullable String> lookup) {
        if (text.indexOf('$') < 0) {
            return new Expanded(text, List.of(), false);
        }
        List<String> unset = new ArrayList<>();
        Interpolation whole = new Interpolation(text, place, lookup, unset, 0);
        String value = whole.run(false);
        return new Expanded(value, List.copyOf(unset), whole.outside);
    }

    private String run(boolean inBraces) {
        StringBuilder out = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at);
            if (inBraces && c == '}') {
                return out.toString();
            }
            if (c != '$') {
                out.append(c);
                at++;
            } else if (at + 1 < text.length() && text.charAt(at + 1) == '$') {
                out.append('$');
                at += 2;
            } else {
                at++;
                out.append(variable());
                if (out.length() > text.length() + MAX_GROWTH) {
                    throw error("A value grows by more than " + MAX_GROWTH
                            + " characters when its variables are replaced.");
                }
            }
        }
        return out.toString();
    }

    private String variable() {
        boolean braced = at < text.length() && text.charAt(at) == '{';
        at += braced ? 1 : 0;
        int start = at;
        while (at < text.length() && isNamePart(text.charAt(at), at == start)) {
            at++;
        }
        String name = text.substring(start, at);
        if (name.isEmpty()) {
            throw error("A variable's name must follow $; write $$ for a dollar sign.");
        }
        if (!braced) {
            return value(name);
        }
        return braced(name);
    }

    private String braced(String name) {
        char operator = at < text.length() ? text.charAt(at) : 0;
        if (operator == '}') {
            at++;
            return value(name);
        }
        boolean emptyCounts = operator == ':';
        if (emptyCounts) {
            at++;
            operator = at < text.length() ? text.charAt(at) : 0;
        }
        if (operator == 0 || "-?+".indexOf(operator) < 0) {
            throw error("${" + name + " must go on with }, :-, -, :?, ?, :+ or +.");
        }
        at++;
        String word = word();
        if (at >= text.length()) {
            throw error("${" + name + " is not closed.");
        }
        at++;
        String value = lookup.apply(name);
        boolean present = value != null && !(emptyCounts && value.isEmpty());
        if (operator == '+') {
            return present ? word : "";
        }
        if (value != null && present) {
            outside = true;
            return value;
        }
        if (operator == '?') {
            outside = true;
            unset.add(name);
            return "";
        }
        return word;
    }

    private String word() {
        if (depth == MAX_DEPTH) {
            throw error("Variables are nested more than " + MAX_DEPTH + " deep.");
        }
        Interpolation inner = new Interpolation(text, place, lookup, unset, depth + 1);
        inner.at = at;
        String word = inner.run(true);
        at = inner.at;
        outside |= inner.outside;
        return word;
    }

    private String value(String name) {
        String value = lookup.apply(name);
        outside = true;
        if (value == null) {
            unset.add(name);
            return "";
        }
        return value;
    }

    private static boolean isNamePart(char c, boolean first) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
    }

    private ContainerFileException error(String message) {
        return new ContainerFileException(FileError.COMPOSE_INTERPOLATION, place, message);
    }
}
