/**
 * What the system tests stand on: a broker in a process of its own, raw sockets to it, and nothing
 * of the broker's classes, so that the same tests can be run against the real nsqd ({@code
 * -Dholdfast.broker.command=...}).
 */
package io.holdfast.broker.system.support;
