package dev.caisson.cgroup;

import static java.util.stream.Collectors.joining;

import dev.caisson.linux.Bpf;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.spec.DeviceRule;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Controls the use of device nodes: `devices` in version 1, a program of the unified tree in version 2.
sealed interface DeviceController {
    String NAME = KernelSetting.DEVICES;

    /// Returns the tree that has it.
    Tree tree();

    /// The rules as a limit that was written, to be compared with [#standing] later.
    KernelSetting setting(List<DeviceRule> allowed);

    /// Restricts a group that was made just before. On an error the caller removes it.
    void restrict(String group, List<DeviceRule> allowed);

    /// Returns the rules in the kernel, in the words of [#setting]; empty if there are none.
    Optional<String> standing(String group, List<DeviceRule> allowed);

    private static KernelSetting setting(String file, List<DeviceRule> allowed) {
        return new KernelSetting(NAME, file, text(allowed));
    }

    private static String text(List<DeviceRule> allowed) {
        return DeviceRule.merged(allowed).stream().map(DeviceRule::toString).collect(joining(", "));
    }

    /// Documentation/admin-guide/cgroup-v1/devices.rst
    record V1(Tree tree) implements DeviceController {
        private static final String LIST = "devices.list";

        @Override
        public KernelSetting setting(List<DeviceRule> allowed) {
            return DeviceController.setting(LIST, allowed);
        }

        @Override
        public void restrict(String group, List<DeviceRule> allowed) {
            tree.write(group, "devices.deny", "a");
            allowed.forEach(rule -> tree.write(group, "devices.allow", rule.toString()));
        }

        /// A group that may use everything has the one line `a *:* rwm`.
        @Override
        public Optional<String> standing(String group, List<DeviceRule> allowed) {
            return tree.find(group, LIST)
                    .map(list -> text(list.lines()
                            .flatMap(line -> DeviceRule.parse(line).stream())
                            .toList()));
        }
    }

    /// A program that stays attached to the group, [DeviceProgram].
    record V2(Tree tree) implements DeviceController {
        @Override
        public KernelSetting setting(List<DeviceRule> allowed) {
            return DeviceController.setting("devices.program", allowed);
        }

        @Override
        public void restrict(String group, List<DeviceRule> allowed) {
            try (Fd program = Bpf.loadCgroupDevice(DeviceProgram.assemble(allowed));
                    Fd directory = tree.openDirectory(group)) {
                Bpf.attachCgroupDevice(program, directory);
            }
        }

        /// The kernel's digest of a program tells whether it is the one that these rules come to. Others that are
        /// attached beside it can only deny more.
        @Override
        public Optional<String> standing(String group, List<DeviceRule> allowed) {
            try (Fd planned = Bpf.loadCgroupDevice(DeviceProgram.assemble(allowed));
                    Fd directory = tree.openDirectory(group)) {
                byte[] digest = Bpf.tag(planned);
                List<byte[]> attached = Bpf.attachedCgroupDevice(directory);
                if (attached.stream().anyMatch(tag -> Arrays.equals(tag, digest))) {
                    return Optional.of(text(allowed));
                }
                return attached.isEmpty() ? Optional.empty() : Optional.of("other rules");
            } catch (ErrnoException e) {
                if (e.is(Errno.ENOENT) || e.is(Errno.ENODEV)) { // the group is gone
                    return Optional.empty();
                }
                throw e;
            }
        }
    }
}
