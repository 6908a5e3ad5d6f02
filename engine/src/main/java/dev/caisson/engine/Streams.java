package dev.caisson.engine;

import dev.caisson.cgroup.Bytes;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;

/// What becomes of a program's standard streams.
public sealed interface Streams {
    /// Output and errors are kept, up to the spec's output limit; input is at its end.
    record Capture() implements Streams {}

    /// Output, errors and, where given, input are copied as they come. With a terminal all output comes
    /// on `output`.
    ///
    /// @param limit most that is copied; a program that writes more is ended
    record Copy(Optional<InputStream> input, OutputStream output, OutputStream errors, Bytes limit) implements Streams {
        /// Without end.
        public Copy(Optional<InputStream> input, OutputStream output, OutputStream errors) {
            this(input, output, errors, Bytes.UNLIMITED);
        }
    }

    /// What `live` says, and besides the container is kept after its end: what it wrote, how it ended and what it was
    /// denied, in files that [KeptContainer] reads. Nothing else of it stays.
    record Kept(Streams live) implements Streams {
        public Kept {
            if (live instanceof Kept) {
                throw new IllegalArgumentException("a container is kept once");
            }
        }
    }

    static Streams capture() {
        return new Capture();
    }

    /// The same of a container that is kept.
    default Streams kept() {
        return new Kept(this);
    }
}
