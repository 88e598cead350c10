package io.holdfast.tools.bench;

/**
 * What a bench mode does; the options say how much of it.
 *
 * @param mode name in the report
 * @param publish whether there are publishers
 * @param consume whether there are consumers
 * @param channels channels per topic
 * @param ratePerSecond messages a second in all, open loop; 0 = closed loop
 * @param window most messages published and not yet consumed; 0 = no limit
 */
record BenchPlan(
    String mode,
    boolean publish,
    boolean consume,
    int channels,
    double ratePerSecond,
    long window) {}
