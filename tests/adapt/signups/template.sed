# The request to try.
s/-d '{"lines":.*}'/-d '{"event":"open-day","guests":2}'/
