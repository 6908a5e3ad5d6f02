package dev.caisson.state;

import dev.caisson.launch.IdRanges;
import dev.caisson.launch.Zygote;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The ranges of host ids that containers of this engine hold. The kernel gives back those of an engine that was
/// killed.
public final class Ranges implements Holding {
    private final IdRanges among;
    private final Map<String, IdRanges.Lease> held = new ConcurrentHashMap<>();

    public Ranges(IdRanges among) {
        this.among = among;
    }

    /// Takes one for a container.
    public IdRanges.Lease make(String id, Zygote zygote) {
        IdRanges.Lease lease = among.take(zygote);
        held.put(id, lease);
        return lease;
    }

    @Override
    public void undo(String id) {
        IdRanges.Lease lease = held.remove(id);
        if (lease != null) {
            among.giveBack(lease);
        }
    }
}
