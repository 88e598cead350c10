package io.holdfast.broker.cluster;

import io.holdfast.broker.queue.TopicContext;
import io.holdfast.broker.queue.Topics;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.LastStop;
import java.nio.file.Path;

/**
 * What a node of a cluster gets of the broker that it is part of.
 *
 * @param root the data directory
 * @param disk where that is
 * @param lastStop how the process before this one ended
 * @param context what each topic needs
 * @param topics all that are found on this broker
 * @param maxEntryBytes the largest publish command, bytes, with all that belongs to its messages
 */
public record ClusterPlace(
    Path root,
    Disk disk,
    LastStop lastStop,
    TopicContext context,
    Topics topics,
    int maxEntryBytes) {}
