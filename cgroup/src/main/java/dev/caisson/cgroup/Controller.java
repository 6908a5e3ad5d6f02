package dev.caisson.cgroup;

import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import java.util.List;

/// One of the kernel's controllers, of the version that it is mounted with.
interface Controller {

    Tree tree();

    /// The writes that put `limits` in force in a group of `parent`, in an order that the kernel takes for a new group.
    List<Setting> settings(Limits limits, String parent);

    /// Returns what `limits` asks of this controller in a group of `parent` and this version or machine lacks.
    List<Lack> lacks(Limits limits, String parent);
}
