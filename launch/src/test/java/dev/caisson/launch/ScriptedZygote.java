package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A zygote whose end of the socket is the test's: answers wait there before they are asked for, and requests until the
/// test reads them. What a first process is to be is a `sleep`, which is a child of this one.
@SuppressWarnings("ByteBufferBackingArray") // every buffer is made here
final class ScriptedZygote implements AutoCloseable {
    static final IdRange IDS = new IdRange(IdRange.FIRST + 3 * IdRange.WIDTH, IdRange.WIDTH);
    static final int REQUEST_BYTES = 52;

    final Zygote zygote;

    private final Sockets.Pair pair = Sockets.pair();
    private final List<Fd> opened = new ArrayList<>();
    private final List<Zygote.Child> children = new ArrayList<>();

    ScriptedZygote() {
        zygote = new Zygote(pair.ours(), Thread.currentThread(), 0);
    }

    /// One request.
    record Request(ByteBuffer bytes, List<Fd> descriptors) implements AutoCloseable {
        int kind() {
            return bytes.getShort(4);
        }

        List<Map<String, Object>> files() {
            return descriptors.stream().map(OpenFiles::file).toList();
        }

        @Override
        public void close() {
            descriptors.forEach(Fd::close);
        }
    }

    /// Begins what is expected of a request for [#IDS].
    static ByteBuffer expected(int kind, int descriptors, int bytes) {
        return ByteBuffer.allocate(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, 0x314e5343)
                .putShort(4, (short) kind)
                .putShort(6, (short) descriptors)
                .putInt(8, 0x7003_0000)
                .putInt(12, 65_536);
    }

    static ByteBuffer expected(int kind, int descriptors) {
        return expected(kind, descriptors, REQUEST_BYTES);
    }

    Request asked() {
        Sockets.Message message = Sockets.receive(pair.theirs(), 65_536);
        return new Request(ByteBuffer.wrap(message.bytes()).order(ByteOrder.LITTLE_ENDIAN), message.descriptors());
    }

    /// Reads a request and compares it; returns its descriptors, which are the caller's to close.
    Request asked(ByteBuffer expected) {
        Request asked = asked();
        assertThat(asked.bytes().array()).isEqualTo(expected.array());
        assertThat(asked.descriptors()).hasSize(expected.getShort(6));
        return asked;
    }

    void answer(Fd... with) {
        reply(0, 0, 0, with);
    }

    void answerChild(Zygote.Child child) {
        reply(0, child.pid(), 0, child.pidfd());
    }

    void refuse(int stage, int errno, Fd... with) {
        reply(-errno, 0, stage, with);
    }

    private void reply(int status, int pid, int stage, Fd... with) {
        ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(0x314e5343).putInt(status).putInt(pid).putInt(stage);
        send(bytes.array(), with);
    }

    void send(byte[] bytes, Fd... with) {
        Sockets.send(pair.theirs(), bytes, List.of(with));
    }

    void end() {
        pair.theirs().close();
    }

    /// Returns a descriptor to hand over, unlike any other; it is closed with this.
    Fd something() {
        Sockets.Pair made = Sockets.pair();
        opened.add(made.ours());
        opened.add(made.theirs());
        return made.ours();
    }

    /// Returns a process that waits; what the test has of it is closed and killed with this.
    Zygote.Child child() {
        return child("60");
    }

    Zygote.Child child(String seconds) {
        try (Fd sleep = FileSystem.open("/bin/sleep", FileSystem.O_RDONLY)) {
            int pid = Processes.spawn(sleep, List.of("sleep", seconds), List.of());
            var child = new Zygote.Child(pid, Processes.open(pid));
            children.add(child);
            return child;
        }
    }

    /// True if somebody has taken the status of a process that has ended.
    static boolean isReaped(Zygote.Child child) {
        try {
            Processes.reapNow(child.pidfd());
            return false;
        } catch (ErrnoException e) {
            return e.is(Errno.ECHILD);
        }
    }

    @Override
    public void close() {
        for (Zygote.Child child : children) {
            Processes.signal(child.pidfd(), 9);
            if (!isReaped(child)) {
                try {
                    Processes.reap(child.pidfd());
                } catch (ErrnoException e) {
                    assertThat(e.is(Errno.ECHILD)).isTrue();
                }
            }
            child.pidfd().close();
        }
        opened.forEach(Fd::close);
        zygote.close();
        pair.theirs().close();
    }
}
