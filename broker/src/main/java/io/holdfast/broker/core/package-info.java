/** The broker without its front ends: the topics it has, its metadata file, its health. */
package io.holdfast.broker.core;
