package dev.caisson.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// The launch of a container up to its program, in a flight recording.
@Name("dev.caisson.Launch")
@Label("Container Launch")
@Category("Caisson")
@Description("From the wish to the start of the program; without an id where that failed")
@StackTrace(false)
final class LaunchEvent extends Event {
    @Label("Id")
    String id = "";

    @Label("Image")
    String image = "";
}
