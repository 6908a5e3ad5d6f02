package dev.caisson.gate;

import dev.caisson.secret.SecretValue;
import dev.caisson.spec.Gate;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// The value of one gate, put into requests. It is copied to the heap for the time of one head and cleared there.
final class Credential implements AutoCloseable {
    /// Values that are shorter could not be told from other text in an answer.
    static final int LEAST_BYTES = 8;

    static final int MOST_BYTES = 8192;
    private static final byte[] HEX = "0123456789ABCDEF".getBytes(StandardCharsets.US_ASCII);

    private static final int RETAINED = 2;

    private final Gate gate;
    private SecretValue value;
    /// Values that were replaced, newest first: a request that had one may be answered late.
    private final Deque<SecretValue> former = new ArrayDeque<>();

    /// @throws dev.caisson.error.ArgumentException ARGUMENT_INVALID for a value that no request can have in that place
    Credential(Gate gate, SecretValue value) {
        this.gate = gate;
        this.value = value;
        GateServer.require(gate, value);
    }

    /// Puts another value in its place, from the next request on.
    synchronized void replace(SecretValue next) {
        former.addFirst(value);
        if (former.size() > RETAINED) {
            former.removeLast().close();
        }
        value = next;
    }

    synchronized byte[] copy() {
        return value.copy();
    }

    /// Returns the value and the few before it, which stay this credential's.
    synchronized List<SecretValue> values() {
        var all = new ArrayList<>(former);
        all.addFirst(value);
        return all;
    }

    Gate gate() {
        return gate;
    }

    /// True if what the program sends in a field does not go on. Servers that hand fields on as variables read `_` as
    /// `-`.
    boolean drops(String field) {
        return gate.place().slot().equals(field.toLowerCase(Locale.ROOT).replace('_', '-'))
                && !(gate.place() instanceof Gate.Placeholder placeholder
                        && placeholder.header().equalsIgnoreCase(field));
    }

    boolean isInTarget() {
        return gate.place() instanceof Gate.Query;
    }

    /// Writes a target with the value in it, if it goes there.
    void target(RequestHead request, HeadWriter out) {
        if (gate.place() instanceof Gate.Query query && !request.target().equals("*")) {
            out.add(without(request.target(), query.name()));
            encoded(out);
        } else {
            out.add(request.target());
        }
    }

    /// Returns a target up to where the value begins, without parameters of that name.
    static String without(String target, String name) {
        String rest = stripped(target, name);
        return rest + (rest.indexOf('?') < 0 ? "?" : "&") + name + "=";
    }

    /// Returns a target without parameters of a name.
    static String stripped(String target, String name) {
        int mark = target.indexOf('?');
        if (mark < 0) {
            return target;
        }
        String kept = Arrays.stream(target.substring(mark + 1).split("[&;]", -1))
                .filter(one -> !one.isEmpty() && !decoded(one.split("=", 2)[0]).equalsIgnoreCase(name))
                .collect(Collectors.joining("&"));
        return target.substring(0, mark) + (kept.isEmpty() ? "" : "?" + kept);
    }

    static String decoded(String key) {
        try {
            return URLDecoder.decode(key, StandardCharsets.ISO_8859_1);
        } catch (IllegalArgumentException e) {
            return key; // not a code, so it is read as it stands
        }
    }

    private void encoded(HeadWriter out) {
        byte[] bytes = copy();
        var text = new ClearedBytes();
        try {
            for (byte one : bytes) {
                boolean plain = (one >= 'a' && one <= 'z')
                        || (one >= 'A' && one <= 'Z')
                        || (one >= '0' && one <= '9')
                        || "-._~".indexOf(one) >= 0;
                if (plain) {
                    text.write(one);
                } else {
                    text.write('%');
                    text.write(HEX[one >> 4 & 0xf]);
                    text.write(HEX[one & 0xf]);
                }
            }
            out.add(text.array(), text.size());
        } finally {
            text.clear();
            Arrays.fill(bytes, (byte) 0);
        }
    }

    /// Writes the field with the value in it, if it is one of its own.
    void field(HeadWriter out) {
        byte[] bytes = copy();
        try {
            switch (gate.place()) {
                case Gate.Bearer _ -> field(out, "Authorization", "Bearer ", bytes);
                case Gate.Basic basic -> basic(out, basic.user(), bytes);
                case Gate.Header header -> field(out, header.name(), "", bytes);
                case Gate.Query _, Gate.Placeholder _ -> {}
            }
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    private static void field(HeadWriter out, String name, String begin, byte[] bytes) {
        out.field(name);
        out.add(begin);
        out.add(bytes, bytes.length);
        out.end();
    }

    /// Writes a field of the program's with the value in place of each placeholder.
    ///
    /// @throws Refusal if it has none, so that the program sends no credential of its own there
    void replaced(Gate.Placeholder placeholder, Fields.Field field, HeadWriter out) throws Refusal {
        byte[] bytes = copy();
        try {
            new Placeholders(placeholder, field).write(bytes, out);
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    private static void basic(HeadWriter out, String user, byte[] bytes) {
        byte[] name = Input.bytes(user.isEmpty() ? "" : user + ":");
        byte[] both = Arrays.copyOf(name, name.length + bytes.length);
        System.arraycopy(bytes, 0, both, name.length, bytes.length);
        byte[] text = Base64.getEncoder().encode(both);
        field(out, "Authorization", "Basic ", text);
        Arrays.fill(both, (byte) 0);
        Arrays.fill(text, (byte) 0);
    }

    /// Clears the value.
    @Override
    public synchronized void close() {
        value.close();
        former.forEach(SecretValue::close);
    }
}
