package dev.caisson.cli.front;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A command line, and what its caller has.
///
/// @param build of the front end
/// @param place of the caller's process, as the front end wrote it
/// @param variables of the environment; of two with one name the first, as getenv(3)
/// @param directory the working directory, by O_PATH
/// @param streams descriptors 0, 1 and 2
public record Request(
        String build,
        String place,
        List<String> arguments,
        Map<String, String> variables,
        Fd directory,
        List<Fd> streams)
        implements AutoCloseable {
    private static final int BUILD = 64;
    private static final int DESCRIPTORS = 4;

    /// The sizes of the text that follows, as HELLO has them.
    private record Sizes(int arguments, int variables, int bytes) {
        Sizes {
            boolean tooMany = arguments < 0
                    || arguments > Wire.MAX_STRINGS
                    || variables < 0
                    || variables > Wire.MAX_STRINGS
                    || bytes < 0
                    || bytes > Wire.MAX_TEXT;
            if (tooMany || bytes < arguments + variables) {
                throw new WireException("a text of " + bytes + " bytes");
            }
        }
    }

    /// Waits for a whole request.
    /// @throws WireException if it is none, or not whole
    /// @throws dev.caisson.linux.ErrnoException EAGAIN if it takes too long
    static Request receive(Fd socket) {
        Sockets.Message first = Sockets.receive(socket, Wire.HEADER + Wire.MAX_PAYLOAD);
        try {
            Wire.Message hello = Wire.parse(first.bytes());
            if (hello.op() != Wire.HELLO
                    || first.descriptors().size() != DESCRIPTORS
                    || hello.payload().remaining() > BUILD + 3 * Integer.BYTES + Wire.MAX_PLACE
                    || hello.payload().remaining() < BUILD + 3 * Integer.BYTES) {
                throw new WireException("another message in place of the first one");
            }
            ByteBuffer in = hello.payload();
            byte[] build = new byte[BUILD];
            in.get(build);
            var sizes = new Sizes(in.getInt(), in.getInt(), in.getInt());
            byte[] place = new byte[in.remaining()];
            in.get(place);
            List<String> texts = texts(receiveText(socket, sizes.bytes()), sizes);
            return new Request(
                    new String(build, 0, end(build, 0), StandardCharsets.UTF_8),
                    new String(place, StandardCharsets.UTF_8),
                    List.copyOf(texts.subList(0, sizes.arguments())),
                    variables(texts.subList(sizes.arguments(), texts.size())),
                    first.descriptors().getFirst(),
                    first.descriptors().subList(1, DESCRIPTORS));
        } catch (RuntimeException | Error e) {
            first.close();
            throw e;
        }
    }

    /// Memory is taken as the bytes come.
    private static byte[] receiveText(Fd socket, int size) {
        byte[] all = new byte[Math.min(size, Wire.MAX_PAYLOAD)];
        int filled = 0;
        while (filled < size) {
            try (Sockets.Message next = Sockets.receive(socket, Wire.HEADER + Wire.MAX_PAYLOAD)) {
                Wire.Message text = Wire.parse(next.bytes());
                int count = text.payload().remaining();
                if (text.op() != Wire.TEXT
                        || count == 0
                        || count > size - filled
                        || !next.descriptors().isEmpty()) {
                    throw new WireException("another message in place of text");
                }
                if (count > all.length - filled) {
                    all = Arrays.copyOf(all, Math.min(size, 2 * all.length));
                }
                text.payload().get(all, filled, count);
                filled += count;
            }
        }
        return all;
    }

    private static List<String> texts(byte[] bytes, Sizes sizes) {
        var texts = new ArrayList<String>();
        for (int start = 0; start < bytes.length; ) {
            int end = end(bytes, start);
            if (end == bytes.length) {
                throw new WireException("a text without an end");
            }
            texts.add(ByteText.of(Arrays.copyOfRange(bytes, start, end)));
            start = end + 1;
        }
        if (texts.size() != sizes.arguments() + sizes.variables()) {
            throw new WireException("another number of texts");
        }
        return texts;
    }

    private static int end(byte[] bytes, int start) {
        int at = start;
        while (at < bytes.length && bytes[at] != 0) {
            at++;
        }
        return at;
    }

    private static Map<String, String> variables(List<String> texts) {
        var variables = new LinkedHashMap<String, String>();
        for (String text : texts) {
            int equals = text.indexOf('=');
            if (equals > 0) {
                variables.putIfAbsent(text.substring(0, equals), text.substring(equals + 1));
            }
        }
        return variables;
    }

    @Override
    public void close() {
        directory.close();
        streams.forEach(Fd::close);
    }
}
