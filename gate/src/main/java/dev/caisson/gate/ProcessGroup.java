package dev.caisson.gate;

import dev.caisson.linux.Fd;
import java.util.List;

/// The control group of a process of gates, which it joins before anything else.
public interface ProcessGroup {
    /// No group: the process stays in that of whoever starts it.
    ProcessGroup NONE = new ProcessGroup() {
        @Override
        public List<Fd> joins() {
            return List.of();
        }

        @Override
        public boolean holds(int pid) {
            return true;
        }
    };

    /// Opens the files that a process joins it by, which the caller closes.
    List<Fd> joins();

    /// True if a process is in it, in every tree.
    boolean holds(int pid);
}
