package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.spec.Bytes;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// The sources and destinations of a program's standard streams. With any of them, a program that writes more than
/// [dev.caisson.spec.ContainerSpec#outputLimit] is ended.
///
/// A stream of the caller's may block for as long as it likes: it holds up the program, which finds its pipe full, and
/// nobody else. A deadline, [Container#kill] and [Engine#close] end the container all the same. Ten seconds after the
/// end of a container, two if the engine ended it, output that was not taken is dropped and reported in
/// [RunResult#streamFailures]. A stream of the caller's that throws is reported there too, and its pipe is closed. The
/// engine never closes or interrupts a stream of the caller's.
public sealed interface Streams {
    /// Keeps output and errors in memory, up to the spec's output limit and [EngineOptions#capturedOutput].
    record Capture(Input input) implements Streams {
        public Capture {
            present(input, "input");
        }

        /// With no input.
        public Capture() {
            this(new Input.None());
        }

        /// With `bytes` as the program's input.
        public Capture input(byte[] bytes) {
            return new Capture(new Input.Memory(bytes));
        }

        /// With `text` in UTF-8 as the program's input.
        public Capture input(String text) {
            return input(present(text, "text").getBytes(StandardCharsets.UTF_8));
        }

        /// With what `stream` gives as the program's input, read as fast as the program takes it.
        public Capture input(InputStream stream) {
            return new Capture(new Input.Stream(stream));
        }
    }

    /// Copies output, errors and, if given, input as they come. With a terminal all output comes on `output`.
    ///
    /// @param limit most that is copied, if that is less than the spec's output limit
    record Copy(Optional<InputStream> input, OutputStream output, OutputStream errors, Bytes limit) implements Streams {
        public Copy {
            present(input, "input");
            present(output, "output");
            present(errors, "errors");
            present(limit, "limit");
        }

        /// Up to the spec's output limit.
        public Copy(Optional<InputStream> input, OutputStream output, OutputStream errors) {
            this(input, output, errors, Bytes.UNLIMITED);
        }
    }

    /// Does what `live` says, and keeps the container after its end: what it wrote, how it ended and what it was
    /// denied, in files that [KeptContainer] reads.
    record Kept(Streams live) implements Streams {
        public Kept {
            if (present(live, "live") instanceof Kept) {
                throw ArgumentException.invalid("the streams are kept already: call kept once");
            }
        }
    }

    /// The source of a program's standard input.
    sealed interface Input {
        /// Nothing: it is at its end.
        record None() implements Input {}

        /// Bytes from memory.
        @SuppressWarnings("ArrayRecordComponent") // copied on the way in and out
        record Memory(byte[] bytes) implements Input {
            public Memory {
                bytes = present(bytes, "bytes").clone();
            }

            @Override
            public byte[] bytes() {
                return bytes.clone();
            }
        }

        /// A stream of the caller's.
        record Stream(InputStream stream) implements Input {
            public Stream {
                present(stream, "stream");
            }
        }
    }

    static Capture capture() {
        return new Capture();
    }

    /// The same, of a container that is kept.
    default Streams kept() {
        return new Kept(this);
    }
}
