// The picture of a broadcast that has one, in place of the drawn robot.

const CHANGES = ["loadedmetadata", "resize", "emptied"];

// Shows whichever of the videos has a picture, for as long as it has; all of them play sound.
export function showPicture(scene, videos) {
  const look = () => {
    const seen = videos.find((video) => video.videoWidth > 0);
    for (const video of videos) video.classList.toggle("shown", video === seen);
    scene.classList.toggle("pictured", seen !== undefined);
  };
  for (const video of videos) for (const change of CHANGES) video.addEventListener(change, look);
}
