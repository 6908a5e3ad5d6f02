package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/// The message that gives init its descriptors, byte by byte as native/plan.h has it.
@SuppressWarnings("ByteBufferBackingArray") // the buffer is made here
class HandoverTest {
    private static final int ENOTSOCK = 88;

    @Test
    void each_descriptor_is_named_by_its_slot() {
        Sockets.Pair control = Sockets.pair();
        try (Fd ours = control.ours();
                Fd theirs = control.theirs();
                Fd zero = FileSystem.open("/dev/zero", FileSystem.O_PATH);
                Fd full = FileSystem.open("/dev/full", FileSystem.O_PATH)) {
            var handover = new Handover(7);
            handover.add(5, zero);
            handover.add(0x102, full);
            handover.send(ours);

            ByteBuffer expected = ByteBuffer.allocate(8 + 2 * Slot.LIMIT).order(ByteOrder.LITTLE_ENDIAN);
            expected.putInt(0x314e5343).putShort((short) 7).putShort((short) 2);
            expected.putShort((short) 5).putShort((short) 0x102);
            try (Sockets.Message message = Sockets.receiveNow(theirs, 65_536).orElseThrow()) {
                assertThat(message.bytes()).isEqualTo(expected.array());
                assertThat(message.descriptors())
                        .extracting(OpenFiles::file)
                        .containsExactly(OpenFiles.file(zero), OpenFiles.file(full));
            }
            assertThat(zero.isOpen()).isTrue();
        }
    }

    @Test
    void an_init_that_is_gone_gets_nothing_and_another_error_is_told() {
        Sockets.Pair control = Sockets.pair();
        try (Fd ours = control.ours();
                Fd file = FileSystem.open("/dev/zero", FileSystem.O_RDONLY)) {
            control.theirs().close();
            new Handover(1).send(ours);
            assertThatThrownBy(() -> new Handover(1).send(file))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(ENOTSOCK));
        }
    }
}
