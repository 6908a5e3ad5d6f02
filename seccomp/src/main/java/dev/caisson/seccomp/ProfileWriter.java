package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Writes a profile as JSON that [Profile#parse] and the engines which read Docker's format take.
final class ProfileWriter {
    private static final int WIDTH = 110;

    private final StringBuilder text = new StringBuilder();
    private int depth;
    private boolean first = true;

    private ProfileWriter() {}

    static String write(Profile profile) {
        var writer = new ProfileWriter();
        writer.profile(profile);
        return writer.text.append('\n').toString();
    }

    private void profile(Profile profile) {
        open("{");
        field("defaultAction", string(name(profile.defaultAction())));
        if (profile.defaultAction().kind().takesData()) {
            field("defaultErrnoRet", Integer.toString(profile.defaultAction().data()));
        }
        abis(profile.abis());
        if (!profile.flags().isEmpty()) {
            strings(
                    "flags",
                    profile.flags().stream()
                            .sorted()
                            .map(flag -> "SECCOMP_FILTER_FLAG_" + flag)
                            .toList());
        }
        if (!profile.listenerPath().isEmpty()) {
            field("listenerPath", string(profile.listenerPath()));
        }
        if (!profile.listenerMetadata().isEmpty()) {
            field("listenerMetadata", string(profile.listenerMetadata()));
        }
        key("syscalls");
        open("[");
        for (Rule rule : profile.rules()) {
            element();
            rule(rule);
        }
        close("]");
        close("}");
    }

    /// A profile that lets in no ABI but the native one says nothing of ABIs.
    private void abis(Map<Architecture, Set<Architecture>> abis) {
        var named = new TreeMap<>(abis);
        named.values().removeIf(Set::isEmpty);
        if (named.isEmpty()) {
            return;
        }
        key("archMap");
        open("[");
        named.forEach((architecture, others) -> {
            element();
            open("{");
            field("architecture", string(architecture.scmpName()));
            strings(
                    "subArchitectures",
                    new TreeSet<>(others).stream().map(Architecture::scmpName).toList());
            close("}");
        });
        close("]");
    }

    private void rule(Rule rule) {
        open("{");
        if (!rule.comment().isEmpty()) {
            field("comment", string(rule.comment()));
        }
        strings("names", rule.names());
        field("action", string(name(rule.action())));
        if (rule.action().kind().takesData()) {
            field("errnoRet", Integer.toString(rule.action().data()));
        }
        if (!rule.conditions().isEmpty()) {
            key("args");
            open("[");
            for (Condition condition : rule.conditions()) {
                element();
                text.append("{\"index\": ").append(condition.index());
                text.append(", \"value\": ").append(Long.toUnsignedString(condition.value()));
                if (condition.operator() == Condition.Operator.MASKED_EQ) {
                    text.append(", \"valueTwo\": ").append(Long.toUnsignedString(condition.valueTwo()));
                }
                text.append(", \"op\": \"SCMP_CMP_")
                        .append(condition.operator())
                        .append("\"}");
            }
            close("]");
        }
        selector("includes", rule.includes());
        selector("excludes", rule.excludes());
        close("}");
    }

    private void selector(String name, Selector selector) {
        if (selector.equals(Selector.NONE)) {
            return;
        }
        key(name);
        open("{");
        if (!selector.capabilities().isEmpty()) {
            strings("caps", new TreeSet<>(selector.capabilities()));
        }
        if (!selector.architectures().isEmpty()) {
            strings("arches", new TreeSet<>(selector.architectures()));
        }
        selector.minKernel().ifPresent(kernel -> field("minKernel", string(kernel.toString())));
        close("}");
    }

    private static String name(Action action) {
        return "SCMP_ACT_" + action.kind();
    }

    private void field(String name, String value) {
        key(name);
        text.append(value);
    }

    private void key(String name) {
        element();
        text.append(string(name)).append(": ");
    }

    /// Writes as many to a line as fit.
    private void strings(String name, Collection<String> values) {
        key(name);
        List<String> quoted = values.stream().map(ProfileWriter::string).toList();
        String line = "[" + String.join(", ", quoted) + "]";
        if (2 * depth + name.length() + line.length() < WIDTH) {
            text.append(line);
            return;
        }
        open("[");
        var row = new ArrayList<String>();
        int length = 0;
        for (String value : quoted) {
            if (length + value.length() > WIDTH - 2 * depth) {
                element();
                text.append(String.join(", ", row));
                row.clear();
                length = 0;
            }
            row.add(value);
            length += value.length() + 2;
        }
        element();
        text.append(String.join(", ", row));
        close("]");
    }

    private void open(String bracket) {
        text.append(bracket);
        depth++;
        first = true;
    }

    private void close(String bracket) {
        depth--;
        if (!first) {
            newLine();
        }
        text.append(bracket);
        first = false;
    }

    private void element() {
        if (!first) {
            text.append(',');
        }
        newLine();
        first = false;
    }

    private void newLine() {
        text.append('\n').repeat("  ", depth);
    }

    private static String string(String value) {
        var quoted = new StringBuilder("\"");
        for (int at = 0; at < value.length(); at++) {
            char c = value.charAt(at);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f) {
                quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
