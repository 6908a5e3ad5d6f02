package dev.caisson.cli.template;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The functions that templates may call: Go's own and Docker's.
enum Function {
    AND(1, 16),
    OR(1, 16),
    NOT(1, 1),
    EQ(2, 16),
    NE(2, 2),
    LT(2, 2),
    LE(2, 2),
    GT(2, 2),
    GE(2, 2),
    LEN(1, 1),
    INDEX(2, 8),
    SLICE(2, 3),
    PRINT(0, 16),
    PRINTLN(0, 16),
    PRINTF(1, 16),
    HTML(0, 16),
    JS(0, 16),
    URLQUERY(0, 16),
    JSON(1, 1),
    JOIN(2, 2),
    SPLIT(2, 2),
    LOWER(1, 1),
    UPPER(1, 1),
    TITLE(1, 1),
    PAD(3, 3),
    TRUNCATE(2, 2);

    private final int fewest;
    private final int most;

    Function(int fewest, int most) {
        this.fewest = fewest;
        this.most = most;
    }

    static Optional<Function> of(String name) {
        for (Function function : values()) {
            if (function.word().equals(name)) {
                return Optional.of(function);
            }
        }
        return Optional.empty();
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Whether it may leave arguments alone.
    boolean isLazy() {
        return this == AND || this == OR;
    }

    void requireArguments(int count) {
        if (count < fewest || count > most) {
            throw new TemplateException("wrong number of args for " + word() + " in --format: want "
                    + (fewest == most ? "" : "at least ") + fewest + " got " + count);
        }
    }

    @Nullable
    Object apply(List<@Nullable Object> given) {
        return switch (this) {
            case AND, OR -> throw new IllegalStateException("looks at its arguments itself");
            case NOT -> !Values.isTrue(given.getFirst());
            case EQ -> given.stream().skip(1).anyMatch(other -> Values.areEqual(given.getFirst(), other));
            case NE -> !Values.areEqual(given.get(0), given.get(1));
            case LT -> Values.compare(given.get(0), given.get(1)) < 0;
            case LE -> Values.compare(given.get(0), given.get(1)) <= 0;
            case GT -> Values.compare(given.get(0), given.get(1)) > 0;
            case GE -> Values.compare(given.get(0), given.get(1)) >= 0;
            case LEN -> length(given.getFirst());
            case INDEX -> index(given);
            case SLICE -> slice(given);
            case PRINT -> print(given);
            case PRINTLN -> String.join(" ", given.stream().map(Values::text).toList()) + "\n";
            case PRINTF -> Printf.format(given);
            case HTML -> Escapes.html(print(given));
            case JS -> Escapes.javaScript(print(given));
            case URLQUERY -> Escapes.query(print(given));
            case JSON -> Values.json(given.getFirst());
            case JOIN ->
                String.join(
                        text(given.get(1)),
                        list(given.get(0)).stream().map(Values::text).toList());
            case SPLIT -> List.of(text(given.get(0)).split(java.util.regex.Pattern.quote(text(given.get(1))), -1));
            case LOWER -> text(given.getFirst()).toLowerCase(Locale.ROOT);
            case UPPER -> text(given.getFirst()).toUpperCase(Locale.ROOT);
            case TITLE -> title(text(given.getFirst()));
            case PAD -> " ".repeat(small(given.get(1))) + text(given.get(0)) + " ".repeat(small(given.get(2)));
            case TRUNCATE -> truncate(text(given.get(0)), small(given.get(1)));
        };
    }

    /// Spaces stand between what are no texts, as in Go.
    private static String print(List<@Nullable Object> given) {
        var out = new StringBuilder();
        for (int i = 0; i < given.size(); i++) {
            boolean spaced = i > 0 && !(given.get(i) instanceof String) && !(given.get(i - 1) instanceof String);
            out.append(spaced ? " " : "").append(Values.text(given.get(i)));
        }
        return out.toString();
    }

    private static long length(@Nullable Object value) {
        return switch (value) {
            case String text -> text.length();
            case List<?> list -> list.size();
            case Map<?, ?> map -> Values.listed(map).size();
            case Template.Dictionary map -> map.entries().size();
            case null, default -> throw new TemplateException("len of " + Values.text(value) + " in --format");
        };
    }

    private static @Nullable Object index(List<@Nullable Object> given) {
        Object value = given.getFirst();
        for (Object key : given.subList(1, given.size())) {
            value = switch (value) {
                case List<?> list -> {
                    int at = small(key);
                    if (at >= list.size()) {
                        throw new TemplateException("index out of range in --format: " + at);
                    }
                    yield list.get(at);
                }
                case Map<?, ?> map -> {
                    Map<Object, @Nullable Object> listed = Values.listed(map);
                    yield listed.containsKey(key) ? listed.get(key) : "";
                }
                case Template.Dictionary map ->
                    map.entries().containsKey(text(key)) ? map.entries().get(text(key)) : "";
                case null, default -> throw new TemplateException("can't index " + Values.text(value) + " in --format");
            };
        }
        return value;
    }

    private static String slice(List<@Nullable Object> given) {
        String text = text(given.get(0));
        int from = small(given.get(1));
        int to = given.size() > 2 ? small(given.get(2)) : text.length();
        if (from > to || to > text.length()) {
            throw new TemplateException("index out of range in --format: " + Math.max(from, to));
        }
        return text.substring(from, to);
    }

    private static String title(String text) {
        var out = new StringBuilder(text);
        for (int i = 0; i < out.length(); i++) {
            if (i == 0 || out.charAt(i - 1) == ' ') {
                out.setCharAt(i, Character.toTitleCase(out.charAt(i)));
            }
        }
        return out.toString();
    }

    private static String truncate(String text, int most) {
        return text.length() <= most ? text : text.substring(0, most);
    }

    private static String text(@Nullable Object value) {
        if (value instanceof String text) {
            return text;
        }
        throw new TemplateException("expected a string in --format; found " + Values.text(value));
    }

    private static List<?> list(@Nullable Object value) {
        if (value instanceof List<?> list) {
            return list;
        }
        throw new TemplateException("expected a list in --format; found " + Values.text(value));
    }

    private static int small(@Nullable Object value) {
        if (value instanceof Long number && number >= 0 && number <= 1 << 16) {
            return number.intValue();
        }
        throw new TemplateException("expected a number up to 65536 in --format; found " + Values.text(value));
    }
}
