package io.holdfast.tools.bench;

/**
 * What a bench mode does; the options say how much of it.
 *
 * @param publish whether there are publishers
 * @param consume whether there are consumers
 * @param channels channels per topic
 * @param rate messages a second in all, open loop; 0 = closed loop
 * @param window most messages published and not yet consumed; 0 = no limit
 */
record BenchShape(boolean publish, boolean consume, int channels, long rate, long window) {}
