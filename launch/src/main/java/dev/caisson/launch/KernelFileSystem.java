package dev.caisson.launch;

/// File systems that a plan may make anew. The numbers are those of `enum filesystem` in `native/plan.h`.
public enum KernelFileSystem {
    PROC(1, "proc"),
    SYSFS(2, "sysfs"),
    TMPFS(3, "tmpfs"),
    DEVPTS(4, "devpts"),
    MQUEUE(5, "mqueue"),
    CGROUP2(6, "cgroup2"),
    CGROUP1_CPU(10, "cpu"),
    CGROUP1_CPUACCT(11, "cpuacct"),
    CGROUP1_CPU_CPUACCT(12, "cpu,cpuacct"),
    CGROUP1_CPUSET(13, "cpuset"),
    CGROUP1_MEMORY(14, "memory"),
    CGROUP1_PIDS(15, "pids"),
    CGROUP1_BLKIO(16, "blkio");

    private final int number;
    private final String kernelName;

    KernelFileSystem(int number, String kernelName) {
        this.number = number;
        this.kernelName = kernelName;
    }

    int number() {
        return number;
    }

    /// The file system's name in /proc/filesystems, or the controllers of a v1 hierarchy.
    public String kernelName() {
        return kernelName;
    }

    /// The type that a mount table shows, proc_pid_mountinfo(5).
    String type() {
        return isControlGroupV1() ? "cgroup" : kernelName;
    }

    /// True for a hierarchy of control groups of the first version.
    public boolean isControlGroupV1() {
        return number >= CGROUP1_CPU.number;
    }

    static KernelFileSystem of(int number) {
        for (KernelFileSystem value : values()) {
            if (value.number == number) {
                return value;
            }
        }
        throw new IllegalArgumentException("no file system has number " + number);
    }
}
