/**
 * What a node does that leads a group: topics and channels on top of the group's state, their
 * changes going through the group's log.
 */
package io.holdfast.broker.cluster.lead;
