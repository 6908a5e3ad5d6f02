package dev.caisson.cli.template;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Go's `printf` with the verbs that formats use: %s %v %d %t %q %x %%, with a width.
final class Printf {
    private static final Pattern VERB = Pattern.compile("%([-0]?)([0-9]{0,3})(?:\\.([0-9]{1,3}))?(.)");

    private Printf() {}

    static String format(List<@Nullable Object> given) {
        if (!(given.getFirst() instanceof String format)) {
            throw new TemplateException("printf in --format needs a text first");
        }
        var out = new StringBuilder();
        Matcher verbs = VERB.matcher(format);
        int next = 1;
        int copied = 0;
        while (verbs.find()) {
            out.append(format, copied, verbs.start());
            copied = verbs.end();
            if (verbs.group(4).equals("%")) {
                out.append('%');
            } else {
                if (next >= given.size()) {
                    throw new TemplateException("printf in --format has fewer values than verbs");
                }
                String text = verb(verbs.group(4), given.get(next++));
                String most = verbs.group(3);
                text = most == null || text.length() <= Integer.parseInt(most)
                        ? text
                        : text.substring(0, Integer.parseInt(most));
                out.append(padded(text, verbs.group(1), verbs.group(2)));
            }
        }
        return out.append(format, copied, format.length()).toString();
    }

    private static String verb(String verb, @Nullable Object value) {
        return switch (verb) {
            case "s", "v", "d", "t" -> Values.text(value);
            case "q" -> Values.json(Values.text(value));
            case "x" -> value instanceof Long number ? Long.toHexString(number) : Values.text(value);
            default ->
                throw new TemplateException("printf in --format has no %" + verb + ": use %s, %v, %d, %t, %q or %x");
        };
    }

    private static String padded(String text, String flag, String width) {
        int missing = (width.isEmpty() ? 0 : Integer.parseInt(width)) - text.length();
        if (missing <= 0) {
            return text;
        }
        return flag.equals("-") ? text + " ".repeat(missing) : (flag.equals("0") ? "0" : " ").repeat(missing) + text;
    }
}
