package dev.caisson.gate;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// The header fields of a request or an answer, in their order, RFC 9112 section 5. Fields that two programs could
/// read differently are refused.
record Fields(List<Field> all) {
    /// @param value without blanks around it
    record Field(String name, String value) {
        boolean is(String other) {
            return name.equalsIgnoreCase(other);
        }
    }

    private static final int MOST = 100;
    private static final int LONGEST = 16_384;
    private static final int MOST_BYTES = 65_536;
    /// Fields that concern one connection, and not the message.
    private static final Set<String> OF_CONNECTION = Set.of(
            "connection",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "http2-settings");

    Fields {
        all = List.copyOf(all);
    }

    /// Reads fields up to the empty line.
    static Fields read(Input input) throws IOException, Refusal {
        var all = new ArrayList<Field>();
        int bytes = 0;
        for (String line = input.requiredLine(LONGEST); !line.isEmpty(); line = input.requiredLine(LONGEST)) {
            bytes += line.length();
            if (all.size() == MOST || bytes > MOST_BYTES) {
                throw tooLarge();
            }
            all.add(field(line));
        }
        return new Fields(all);
    }

    /// Takes fields that were read otherwise.
    /// @throws Refusal if they are too many or too long
    static Fields of(List<Field> fields) throws Refusal {
        int bytes = 0;
        for (Field field : fields) {
            int length = field.name().length() + field.value().length();
            bytes += length;
            if (length > LONGEST) {
                throw new Refusal(
                        Refusal.TOO_LARGE, "a header field is longer than " + LONGEST + " bytes: send a shorter one");
            }
        }
        if (fields.size() > MOST || bytes > MOST_BYTES) {
            throw tooLarge();
        }
        return new Fields(fields);
    }

    static Refusal tooLarge() {
        return new Refusal(
                Refusal.TOO_LARGE,
                "the head has more than " + MOST + " fields or " + MOST_BYTES + " bytes: send fewer");
    }

    private static Field field(String line) throws Refusal {
        if (line.charAt(0) == ' ' || line.charAt(0) == '\t') {
            throw Refusal.malformed("a header field is folded: write it on one line");
        }
        int colon = line.indexOf(':');
        if (colon < 1 || !isToken(line.substring(0, colon))) {
            throw Refusal.malformed("a header field has no valid name before a colon: write NAME: VALUE");
        }
        String value = trimmed(line.substring(colon + 1));
        for (int i = 0; i < value.length(); i++) {
            char one = value.charAt(i);
            if ((one < ' ' && one != '\t') || one == 0x7f) {
                throw Refusal.malformed("a header field has a control character: leave it out");
            }
        }
        return new Field(line.substring(0, colon), value);
    }

    /// Returns a text without blanks around it.
    static String trimmed(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && isBlank(text.charAt(from))) {
            from++;
        }
        while (to > from && isBlank(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }

    private static boolean isBlank(char one) {
        return one == ' ' || one == '\t';
    }

    /// True for a token of RFC 9110 section 5.6.2.
    static boolean isToken(String text) {
        return !text.isEmpty()
                && text.chars().allMatch(one -> one > ' ' && one < 0x7f && "\"(),/:;<=>?@[\\]{}".indexOf(one) < 0);
    }

    /// Returns the values of all fields with a name.
    List<String> values(String name) {
        return all.stream().filter(one -> one.is(name)).map(Field::value).toList();
    }

    boolean has(String name) {
        return all.stream().anyMatch(one -> one.is(name));
    }

    /// Returns the members of lists in all fields with a name, in lower case.
    List<String> members(String name) {
        return values(name).stream()
                .flatMap(value -> Arrays.stream(value.split(",", -1)))
                .map(member -> trimmed(member).toLowerCase(Locale.ROOT))
                .filter(member -> !member.isEmpty())
                .toList();
    }

    /// Returns the length of the body, which is said once at most.
    Optional<Long> contentLength() throws Refusal {
        List<String> values = values("content-length");
        if (values.isEmpty()) {
            return Optional.empty();
        }
        if (values.size() > 1 || !values.getFirst().matches("[0-9]{1,18}")) {
            throw Refusal.malformed("Content-Length is not one number: send it once, in digits");
        }
        return Optional.of(Long.parseLong(values.getFirst()));
    }

    /// True if the body comes in chunks.
    boolean isChunked() throws Refusal {
        if (!has("transfer-encoding")) {
            return false;
        }
        List<String> values = values("transfer-encoding");
        if (values.size() > 1 || !values.getFirst().equalsIgnoreCase("chunked")) {
            throw Refusal.malformed("Transfer-Encoding is not 'chunked': a gate reads no other one");
        }
        if (has("content-length")) {
            throw Refusal.malformed("Content-Length stands beside Transfer-Encoding: send one of them");
        }
        return true;
    }

    /// Returns those that go on to the other side: without those of this connection, and without those that
    /// `Connection` names.
    Stream<Field> lasting() {
        var gone = new HashSet<>(OF_CONNECTION);
        gone.addAll(members("connection"));
        return all.stream().filter(one -> !gone.contains(one.name().toLowerCase(Locale.ROOT)));
    }
}
