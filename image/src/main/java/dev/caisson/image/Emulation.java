package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.BinaryFormat;
import dev.caisson.text.Quoted;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Says which images of other machines run here: those whose programs the kernel gives to an interpreter that it has
/// opened itself (`binfmt_misc`, flag `F`). The interpreter is a program of this machine and runs in the container.
public final class Emulation {
    private static final int HEADER = 64;
    private static final int EXECUTABLE = 2; // ET_EXEC
    private static final int SHARED = 3; // ET_DYN, as programs are that can be loaded anywhere

    /// A machine as an ELF header has it (elf.h).
    private record Machine(int number, boolean is64, boolean isLittle) {}

    private static final Map<String, Machine> MACHINES = Map.ofEntries(
            Map.entry("386", new Machine(3, false, true)),
            Map.entry("amd64", new Machine(62, true, true)),
            Map.entry("arm", new Machine(40, false, true)),
            Map.entry("arm64", new Machine(183, true, true)),
            Map.entry("loong64", new Machine(258, true, true)),
            Map.entry("mips", new Machine(8, false, false)),
            Map.entry("mipsle", new Machine(8, false, true)),
            Map.entry("mips64", new Machine(8, true, false)),
            Map.entry("mips64le", new Machine(8, true, true)),
            Map.entry("ppc64", new Machine(21, true, false)),
            Map.entry("ppc64le", new Machine(21, true, true)),
            Map.entry("riscv64", new Machine(243, true, true)),
            Map.entry("s390x", new Machine(22, true, false)));

    private final List<BinaryFormat> formats;

    private Emulation(List<BinaryFormat> formats) {
        this.formats = List.copyOf(formats);
    }

    static Emulation of(List<BinaryFormat> formats) {
        return new Emulation(formats);
    }

    /// Fails unless images of a platform run here. Asks the kernel only about those of other machines.
    /// @throws ImageException PLATFORM_FOREIGN
    public static void requireHere(Platform platform) {
        obstacleHere(platform).ifPresent(why -> {
            throw new ImageException(Code.PLATFORM_FOREIGN, why);
        });
    }

    /// Returns why images of a platform do not run here; empty if they do. Asks the kernel as [#requireHere].
    public static Optional<String> obstacleHere(Platform platform) {
        return platform.runsHere()
                ? Optional.empty()
                : of(BinaryFormat.ofHost()).obstacle(platform);
    }

    /// Returns why images of a platform do not run here; empty if they do.
    Optional<String> obstacle(Platform platform) {
        if (platform.runsHere()) {
            return Optional.empty();
        }
        String foreign = "platform " + Quoted.of(platform.toString()) + " is not this host's, which is "
                + Platform.running() + ", and ";
        Machine machine = MACHINES.get(platform.architecture());
        if (!platform.os().equals("linux") || machine == null || platform.isOfThisMachine()) {
            return Optional.of(foreign + "cannot be emulated: use an image for " + Platform.running());
        }
        List<BinaryFormat> taking = formats.stream()
                .filter(format -> format.takes(header(machine, EXECUTABLE)) && format.takes(header(machine, SHARED)))
                .toList();
        if (taking.isEmpty()) {
            return Optional.of(foreign + "binfmt_misc has no enabled interpreter for " + platform.architecture()
                    + ": install one (Debian: qemu-user-binfmt), or use an image for " + Platform.running());
        }
        // the kernel takes the one that was registered last, and does not say which that is
        String absent = taking.stream()
                .filter(format -> !format.isOpen())
                .map(format -> format.name() + " (" + format.interpreter() + ")")
                .sorted()
                .collect(Collectors.joining(", "));
        return absent.isEmpty()
                ? Optional.empty()
                : Optional.of(foreign + "its interpreter " + absent
                        + " is not in the container: register it with the flag F, which has the kernel open it before");
    }

    private static byte[] header(Machine machine, int type) {
        ByteBuffer header =
                ByteBuffer.allocate(HEADER).order(machine.isLittle() ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        header.put(new byte[] {0x7f, 'E', 'L', 'F'});
        header.put((byte) (machine.is64() ? 2 : 1))
                .put((byte) (machine.isLittle() ? 1 : 2))
                .put((byte) 1);
        header.putShort(16, (short) type).putShort(18, (short) machine.number()).putInt(20, 1);
        return header.array();
    }
}
