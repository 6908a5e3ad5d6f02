package dev.caisson.engine;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/// A container from its start to its end, in a flight recording.
@Name("dev.caisson.Container")
@Label("Container")
@Category("Caisson")
@Description("A container from its start to its end, and what it used")
@StackTrace(false)
final class ContainerEvent extends Event {
    @Label("Id")
    String id = "";

    @Label("Name")
    String name = "";

    @Label("Image")
    String image = "";

    @Label("Verdict")
    @Description("Why it ended")
    String verdict = "";

    @Label("Exit Status")
    int exitStatus;

    @Label("Processor Time")
    @Timespan(Timespan.NANOSECONDS)
    long cpuTime;

    @Label("Peak Memory")
    @DataAmount
    long peakMemory;

    @Label("OOM Kills")
    long oomKills;

    @Label("Processes Refused")
    long pidsRefused;

    static ContainerEvent begin(String id, String name, String image) {
        var event = new ContainerEvent();
        event.id = id;
        event.name = name;
        event.image = image;
        event.begin();
        return event;
    }

    void end(RunResult result) {
        end();
        if (shouldCommit()) {
            verdict = result.verdict().name();
            exitStatus = result.exitStatus();
            cpuTime = result.cpuTime().toNanos();
            peakMemory = result.peakMemory().count();
            oomKills = result.oomKills();
            pidsRefused = result.pidsRefused();
            commit();
        }
    }
}
