package dev.caisson.engine;

import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.Usage;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/// The usage of a running container so far, in a flight recording.
@Name("dev.caisson.ContainerUsage")
@Label("Container Usage")
@Category("Caisson")
@Period("1 s")
@StackTrace(false)
final class UsageEvent extends Event {
    @Label("Id")
    String id = "";

    @Label("Processor Time")
    @Timespan(Timespan.NANOSECONDS)
    long cpuTime;

    @Label("Throttled Time")
    @Timespan(Timespan.NANOSECONDS)
    long throttledTime;

    @Label("Memory")
    @DataAmount
    long memory;

    @Label("Working Set")
    @DataAmount
    long workingSet;

    @Label("Processes")
    long processes;

    @Label("Written")
    @DataAmount
    long written;

    @Label("Received")
    @DataAmount
    long received;

    @Label("Sent")
    @DataAmount
    long sent;

    static void commit(String id, ContainerUsage usage) {
        var event = new UsageEvent();
        Usage group = usage.group();
        event.id = id;
        event.cpuTime = group.cpu().total().toNanos();
        event.throttledTime = group.cpu().throttling().throttledTime().toNanos();
        group.memory().ifPresent(memory -> {
            event.memory = memory.current().count();
            event.workingSet = memory.workingSet().count();
        });
        group.pids().ifPresent(pids -> event.processes = pids.current());
        usage.writable().ifPresent(writable -> event.written = writable.used().count());
        for (InterfaceUse link : usage.interfaces()) {
            event.received += link.received().bytes();
            event.sent += link.sent().bytes();
        }
        event.commit();
    }
}
