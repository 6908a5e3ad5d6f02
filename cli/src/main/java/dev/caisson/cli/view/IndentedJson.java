package dev.caisson.cli.view;

import dev.caisson.cli.template.Template;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// JSON over several lines, as Docker's `inspect` prints it. What a terminal would act on is escaped.
public final class IndentedJson {
    private static final String STEP = "    ";
    private static final Template SCALAR = Template.parse("{{json .}}");

    private IndentedJson() {}

    /// Returns a value in lines, indented by four blanks.
    public static String of(Object value) {
        var out = new StringBuilder();
        write(value, "\n", out);
        return out.toString();
    }

    private static void write(@Nullable Object value, String line, StringBuilder out) {
        switch (value) {
            case null -> out.append("null");
            case Template.Dictionary map -> write(map.entries(), line, out);
            case Map<?, ?> map -> {
                String separator = "{" + line + STEP;
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    out.append(separator)
                            .append(scalar(String.valueOf(entry.getKey())))
                            .append(": ");
                    write(entry.getValue(), line + STEP, out);
                    separator = "," + line + STEP;
                }
                out.append(map.isEmpty() ? "{}" : line + "}");
            }
            case List<?> list -> {
                String separator = "[" + line + STEP;
                for (Object one : list) {
                    out.append(separator);
                    write(one, line + STEP, out);
                    separator = "," + line + STEP;
                }
                out.append(list.isEmpty() ? "[]" : line + "]");
            }
            default -> out.append(scalar(value));
        }
    }

    private static String scalar(Object value) {
        return SCALAR.render(value);
    }
}
