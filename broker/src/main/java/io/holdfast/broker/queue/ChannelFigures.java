package io.holdfast.broker.queue;

/**
 * What /stats and the like show of a channel, all of one moment, so that sums add up.
 *
 * @param depth messages ready for delivery: memory queue and backend
 * @param backendDepth those of them that only the backend has
 * @param inFlightCount messages delivered and not answered
 * @param deferredCount messages that wait for a time
 * @param messageCount messages put since the start of the process, requeues not counted
 * @param requeueCount REQs since the start of the process
 * @param timeoutCount timeouts since the start of the process
 * @param zoneLocalMsgCount messages sent from memory to consumers of the broker's own zone
 * @param regionLocalMsgCount messages sent from memory to consumers of the broker's own region
 * @param globalMsgCount messages sent from memory to any other consumer; to all without topology
 *     awareness
 * @param unreadableCount messages lost to damage in the journal since the start of the process
 * @param droppedCount messages dropped for want of room: by an ephemeral channel, or by {@code
 *     drop_oldest}
 * @param deadCount dead letters that are kept now
 * @param deadLetterCount messages that became dead letters since the start of the process, kept or
 *     not
 * @param deadDroppedCount dead letters given up since then: by {@code drop}, and beyond {@code
 *     max_dead}
 * @param expiredCount messages that expired since then
 * @param clientCount consumers
 * @param isPaused whether deliveries are stopped
 */
public record ChannelFigures(
    long depth,
    long backendDepth,
    long inFlightCount,
    long deferredCount,
    long messageCount,
    long requeueCount,
    long timeoutCount,
    long zoneLocalMsgCount,
    long regionLocalMsgCount,
    long globalMsgCount,
    long unreadableCount,
    long droppedCount,
    long deadCount,
    long deadLetterCount,
    long deadDroppedCount,
    long expiredCount,
    int clientCount,
    boolean isPaused) {}
